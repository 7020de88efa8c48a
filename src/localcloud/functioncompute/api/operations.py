"""The operations of the API but for InvokeFunction: each takes a call and returns the JSON of its answer."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from localcloud.functioncompute.api import async_invoke
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.api.functions import Functions, Registered
from localcloud.functioncompute.api.presentation import Document, async_document, function_document

_PAGE, _LARGEST_PAGE = 20, 100
_LARGEST_RESERVATION = 300
_LIST_FILTERS = frozenset({"prefix", "limit", "nextToken", "fcVersion"})


class FunctionApiCall(NamedTuple):
    """One request for a function (or, for a list, none)."""

    functions: Functions
    function_name: str
    query: Mapping[str, str]
    body: bytes

    def entry(self) -> Registered:
        """Return the function that the request names; FcError if it is not there."""
        return self.functions.find(self.function_name, self.query.get("qualifier", ""))

    def arn(self) -> str:
        """Return the function's ARN."""
        return self.functions.arn(self.function_name)

    def document(self) -> Any:
        """Return the body's JSON object; FcError if it is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise FcError("InvalidArgument", "the body is not a JSON object")
        return document


Operation = Callable[[FunctionApiCall], Document | None]


def get_function(call: FunctionApiCall) -> Document:
    """Answer GetFunction."""
    return function_document(call.entry(), call.arn())


def list_functions(call: FunctionApiCall) -> Document:
    """Answer ListFunctions, a page of names that begin with ``prefix``. A filter that is not modelled is refused."""
    query = call.query
    if unknown := sorted(query.keys() - _LIST_FILTERS):
        raise FcError("InvalidArgument", f"the local cloud does not model {', '.join(unknown)[:200]}")
    limit = query.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= _LARGEST_PAGE):
        raise FcError("InvalidArgument", f"limit is {limit[:20]!r}: 1 to {_LARGEST_PAGE}")
    after = query.get("nextToken", "")
    names = [name for name in call.functions.names() if name.startswith(query.get("prefix", "")) and name > after]
    page = names[: int(limit)] if query.get("fcVersion", "v3") == "v3" else []
    entries = [call.functions.find(name) for name in page]
    answer: Document = {
        "functions": [function_document(entry, call.functions.arn(entry.function.name)) for entry in entries]
    }
    if page and len(names) > len(page):
        answer["nextToken"] = page[-1]
    return answer


def get_async_config(call: FunctionApiCall) -> Document:
    """Answer GetAsyncInvokeConfig."""
    if call.entry().async_config is None:
        raise FcError("AsyncConfigNotExists", f"function '{call.function_name}' has no asynchronous configuration")
    return async_document(call.entry(), call.arn())


def put_async_config(call: FunctionApiCall) -> Document:
    """Answer PutAsyncInvokeConfig."""
    call.entry()
    call.functions.configure(call.function_name, async_config=async_invoke.read_config(call.document()))
    return async_document(call.entry(), call.arn())


def delete_async_config(call: FunctionApiCall) -> None:
    """Answer DeleteAsyncInvokeConfig; where there is none, it stays so."""
    call.entry()
    call.functions.configure(call.function_name, async_config=None)


def get_concurrency(call: FunctionApiCall) -> Document:
    """Answer GetConcurrencyConfig."""
    reserved = call.entry().reserved
    if reserved is None:
        raise FcError("ConcurrencyConfigNotFound", f"function '{call.function_name}' has no reserved concurrency")
    return {"functionArn": call.arn(), "reservedConcurrency": reserved}


def put_concurrency(call: FunctionApiCall) -> Document:
    """Answer PutConcurrencyConfig."""
    document = call.document()
    reserved = document.get("reservedConcurrency")
    if type(reserved) is not int or not 0 <= reserved <= _LARGEST_RESERVATION or len(document) > 1:
        raise FcError(
            "InvalidArgument", f"the body is reservedConcurrency alone, a number from 0 to {_LARGEST_RESERVATION}"
        )
    call.functions.reserve(call.function_name, reserved)
    return get_concurrency(call)


def delete_concurrency(call: FunctionApiCall) -> None:
    """Answer DeleteConcurrencyConfig; where there is none, it stays so."""
    call.functions.reserve(call.function_name, None)


OPERATIONS: Mapping[str, Operation] = {
    "GetFunction": get_function,
    "ListFunctions": list_functions,
    "GetAsyncInvokeConfig": get_async_config,
    "PutAsyncInvokeConfig": put_async_config,
    "DeleteAsyncInvokeConfig": delete_async_config,
    "GetConcurrencyConfig": get_concurrency,
    "PutConcurrencyConfig": put_concurrency,
    "DeleteConcurrencyConfig": delete_concurrency,
}
CHANGING = frozenset(name for name in OPERATIONS if not name.startswith(("Get", "List")))
