"""Which operation a request is for: the paths of API version 2023-03-30, one row each."""

from typing import NamedTuple
from urllib.parse import unquote

from starlette.routing import compile_path

from localcloud.functioncompute.api.errors import FcError, OlderVersion

VERSION = "2023-03-30"
OLDER_VERSIONS = ("2021-04-06", "2016-08-15")

_FUNCTION = f"/{VERSION}/functions/{{name}}"
_OPERATIONS = (
    ("POST", f"{_FUNCTION}/invocations", "InvokeFunction"),
    ("GET", _FUNCTION, "GetFunction"),
    ("GET", f"/{VERSION}/functions", "ListFunctions"),
    ("GET", f"{_FUNCTION}/async-invoke-config", "GetAsyncInvokeConfig"),
    ("PUT", f"{_FUNCTION}/async-invoke-config", "PutAsyncInvokeConfig"),
    ("DELETE", f"{_FUNCTION}/async-invoke-config", "DeleteAsyncInvokeConfig"),
    ("GET", f"{_FUNCTION}/concurrency", "GetConcurrencyConfig"),
    ("PUT", f"{_FUNCTION}/concurrency", "PutConcurrencyConfig"),
    ("DELETE", f"{_FUNCTION}/concurrency", "DeleteConcurrencyConfig"),
)
_ROWS = tuple((method, compile_path(path)[0], operation) for method, path, operation in _OPERATIONS)


class Route(NamedTuple):
    """An operation, and the name of its function, empty for a list."""

    operation: str
    function_name: str = ""

    @property
    def ram_action(self) -> str:
        """What a policy calls the operation."""
        return f"fc:{self.operation}"


def route_of(method: str, path: str) -> Route:
    """Find the operation of a request by its path as sent; raises FcError (PathNotSupported), or OlderVersion."""
    if (called := path.split("/")[1]) in OLDER_VERSIONS:
        raise OlderVersion(called, VERSION)
    for row_method, pattern, operation in _ROWS:
        if row_method == method and (match := pattern.fullmatch(path)):
            return Route(operation, unquote(match.groupdict().get("name", "")))
    raise FcError("PathNotSupported", f"'{path[:200]}' against '{method}' is not supported")
