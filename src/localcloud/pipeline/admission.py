"""The door of the local cloud: which requests are let in at all, whatever they are for.

A page of another site can make a browser send requests here, and a name of its own can be made to lead here (DNS
rebinding). So the host must be a name that only leads to this machine, and the origin, if a browser sends one, this
server itself. A client that uses the local cloud as its HTTP proxy names Alibaba Cloud's hosts, which nobody else can
redirect; those are let in to the services, and to nothing else.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

Headers = Iterable[tuple[bytes, bytes]]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: A log project is the first label of its host's name, before whatever leads here.
_BELOW_LOOPBACK = (".127.0.0.1", ".localhost")
_OF_THE_CLOUD = (".aliyuncs.com",)


def refusal(headers: Headers, *, is_call: bool) -> str:
    """Return why a request is not let in; empty if it is. ``is_call``: it is a call of a service, not a page."""
    host, origin, site = "", None, "none"
    for name, value in headers:
        if name == b"host":
            host = value.decode("latin-1")
        elif name == b"origin":
            origin = value.decode("latin-1")
        elif name == b"sec-fetch-site":
            site = value.decode("latin-1")
    if not _is_known(_host_name(host), is_call=is_call):
        return f"Host is {host!r}: the local cloud answers to 127.0.0.1 and localhost only"
    if origin is not None and origin != f"http://{host}":
        return f"Origin is {origin!r}: requests from other sites are refused"
    if site not in ("none", "same-origin"):
        return "requests from other sites are refused"
    return ""


def _is_known(name: str, *, is_call: bool) -> bool:
    if name in _LOOPBACK:
        return True
    return is_call and name.endswith((*_BELOW_LOOPBACK, *_OF_THE_CLOUD))


def _host_name(host: str) -> str:
    if host.startswith("127.0.0.1:") and host[10:].isdigit():  # nearly every request; spares the parsing
        return "127.0.0.1"
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
