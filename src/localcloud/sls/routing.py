"""Which operation a request means, for which project, with which parameters.

The project is the first label of the ``Host`` header (``ecs-reboot.cn-hangzhou.log.aliyuncs.com``, and as well
``ecs-reboot.127.0.0.1:8080``). A client that can't set the header and calls the bare loopback address names the project
in ``x-log-project``; without that the account's only project is meant, and with several the request is refused.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import compile_path

from cloud_languages.resource_names import LOGSTORE, RULES
from localcloud.sls.errors import SlsError
from localcloud.sls.operations import (
    Operation,
    delete_logstore,
    delete_project,
    get_logs_v1,
    get_logs_v2,
    get_logstore,
    get_project,
    list_logstores,
    put_logs,
)
from localcloud.sls.signature import SignedRequest


class Route(NamedTuple):
    """One operation: how its requests look, its name in the audit, and the RAM action it needs."""

    method: str
    path: re.Pattern[str]
    query_type: str
    action: str
    ram_action: str
    operation: Operation


class _LogstoreName(StringConvertor):
    regex = RULES[LOGSTORE].pattern


def _path(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


register_url_convertor("logstore", _LogstoreName())
_STORE = "/logstores/{name:logstore}"
ROUTES = (
    Route("POST", _path(f"{_STORE}/shards/lb"), "", "PutLogs", "log:PostLogStoreLogs", put_logs),
    Route("POST", _path(f"{_STORE}/shards/route"), "", "PutLogs", "log:PostLogStoreLogs", put_logs),
    Route("POST", _path(f"{_STORE}/logs"), "", "GetLogs", "log:GetLogStoreLogs", get_logs_v2),
    Route("GET", _path(_STORE), "log", "GetLogs", "log:GetLogStoreLogs", get_logs_v1),
    Route("GET", _path(_STORE), "", "GetLogStore", "log:GetLogStore", get_logstore),
    Route("GET", _path("/logstores"), "", "ListLogStores", "log:ListLogStores", list_logstores),
    Route("GET", _path("/logstores/"), "", "ListLogStores", "log:ListLogStores", list_logstores),
    Route("GET", _path("/"), "", "GetProject", "log:GetProject", get_project),
    Route("DELETE", _path(_STORE), "", "DeleteLogStore", "log:DeleteLogStore", delete_logstore),
    Route("DELETE", _path("/"), "", "DeleteProject", "log:DeleteProject", delete_project),
)


def route_of(request: SignedRequest) -> tuple[Route, str]:
    """Find the operation that a request means, and the logstore in its path; raises ``SlsError``."""
    query_type = dict(request.query).get("type", "")
    for route in ROUTES:
        match = route.path.fullmatch(request.path)
        if match and (route.method, route.query_type) == (request.method, query_type):
            return route, match.groupdict().get("name", "")
    known = ", ".join(sorted({route.action for route in ROUTES}))
    raise SlsError("ParameterInvalid", f"{request.method} {request.path} is no operation known here: {known}.")


def project_of(headers: Mapping[str, str], projects: tuple[str, ...]) -> str:
    """Find the project that a request is for, as the module says; raises ``SlsError`` (InvalidHost)."""
    host = headers.get("host", "").partition(":")[0]
    first, dot, _ = host.partition(".")
    if dot and not _is_address(host):
        return first
    if named := headers.get("x-log-project", ""):
        return named
    if len(projects) == 1:
        return projects[0]
    raise SlsError(
        "InvalidHost",
        f"Host header {host} is invalid: it names no project, and there are {', '.join(projects)}. "
        "Put the project before the host name, or into the header x-log-project.",
    )


def parameters_of(request: SignedRequest) -> Mapping[str, Any]:
    """Read the parameters of a request, from its JSON body where it has one, else from its query."""
    if not request.body or not request.headers.get("content-type", "").startswith("application/json"):
        return dict(request.query)
    try:
        document = json.loads(request.body)
    except ValueError as error:
        raise SlsError("ParameterInvalid", f"the body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise SlsError("ParameterInvalid", "the body is not a JSON object.")
    return document


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
