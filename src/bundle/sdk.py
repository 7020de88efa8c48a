"""The Alibaba Cloud SDK as the function uses it: where it enters, and what of it is never reached.

``CUTS`` is the one reviewed table. A cut stands where the SDK names something that our calls never get to: another
signing generation, another transport, another kind of credential. If one were reached after all, Python would say
NameError or AttributeError with that name. Everything else goes or stays by itself (``shake``).
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from bundle import BuildError
from bundle.shake import Find, Shaken, shake

#: Top-level packages of the SDK that may end up in the package, and the distributions they come from.
PACKAGES = {
    "alibabacloud_ecs20140526": "alibabacloud-ecs20140526",
    "alibabacloud_tea_openapi": "alibabacloud-tea-openapi",
    "darabonba": "darabonba-core",
    "Tea": "alibabacloud-tea",
}

MODELS = "alibabacloud_ecs20140526.models"

_NOT_OURS = "only asked for with a key pair in Config; ours comes as Config.credential"
_OTHER_SIGNATURE = "call_api takes this way only for a signature_version or signature_algorithm that we never set"
_WEBSOCKET = "only where RuntimeOptions names a web_socket_handler"
_NOT_HMAC_SHA256 = "only for the signature algorithms RSA and SM3; ours is ACS3-HMAC-SHA256"
_OTHER_BODY = "only for a request with a body; our calls are RPC, all parameters in the query"

CUTS: Mapping[str, Mapping[str, str]] = {
    "alibabacloud_tea_openapi.client": {
        "credential_models": _NOT_OURS,
        "CredentialClient": _NOT_OURS,
        "Client.do_rpcrequest": _OTHER_SIGNATURE,
        "Client.do_roarequest": _OTHER_SIGNATURE,
        "Client.do_roarequest_with_form": _OTHER_SIGNATURE,
        "Client.execute": _OTHER_SIGNATURE,
        "DaraXML": "only for an error of content type text/xml; ecs_reboot.cloud.ecs takes only JSON objects",
        "new_websocket_client_and_connect": _WEBSOCKET,
        "get_web_socket_enable_reconnect": _WEBSOCKET,
        "get_web_socket_handshake_timeout": _WEBSOCKET,
        "get_web_socket_max_reconnect_times": _WEBSOCKET,
        "get_web_socket_ping_interval": _WEBSOCKET,
        "get_web_socket_pong_timeout": _WEBSOCKET,
        "get_web_socket_reconnect_interval": _WEBSOCKET,
        "get_web_socket_write_timeout": _WEBSOCKET,
        "websocket_utils": _WEBSOCKET,
    },
    "alibabacloud_tea_openapi.utils": {
        "rsa_sign": _NOT_HMAC_SHA256,
        "hash_sm3": _NOT_HMAC_SHA256,
        "Sm3": _NOT_HMAC_SHA256,
        "Form": _OTHER_BODY,
    },
    "darabonba.core": {
        "DaraCore.do_action": "the seam at which ecs_reboot.cloud.ecs puts its own transport",
    },
}

#: What the kept modules may import of the standard library: each is small, or loaded by the function anyway.
STANDARD = frozenset(
    {
        "__future__", "base64", "binascii", "codecs", "copy", "datetime", "hashlib", "hmac", "io", "json", "logging",
        "os", "platform", "random", "re", "threading", "time", "typing", "urllib", "urllib.parse",
    }
)  # fmt: skip


def of_source(directory: Path) -> tuple[set[str], set[str]]:
    """Return the SDK modules that the function's source imports, and every name that it may mean by them.

    Method names are strings in places (``getattr``), so the texts that are names count too.
    """
    modules: set[str] = set()
    names: set[str] = set()
    for path in sorted(directory.rglob("*.py")):
        text = path.read_text()
        if not any(package in text for package in PACKAGES):
            continue
        tree = ast.parse(text, str(path))
        imported = set(_imports(tree))
        modules |= {module for module, _ in imported}
        if imported:
            names |= {name for _, name in imported} | set(_names(tree))
    if not modules:
        raise BuildError(f"{directory} imports none of {', '.join(PACKAGES)}: where does it call ECS from?")
    return modules, names


def trimmed(find: Find, source: Path) -> Shaken:
    """Return what the function can reach of the SDK. Raises BuildError where the SDK or the source no longer fits."""
    modules, names = of_source(source)
    shaken = shake(find, modules, names, CUTS)
    strangers = {
        name: importers
        for name, importers in shaken.foreign.items()
        if name not in STANDARD and name.partition(".")[0] not in PACKAGES
    }
    if strangers:
        listed = "; ".join(f"{name} (by {', '.join(sorted(importers))})" for name, importers in strangers.items())
        raise BuildError(f"the SDK imports what it did not: {listed}. See CUTS and STANDARD in src/bundle/sdk.py")
    lost = [name for name in shaken.foreign if name.partition(".")[0] in PACKAGES]
    if lost:
        raise BuildError(f"the SDK has no module {', '.join(lost)} any more")
    shaken.sources[MODELS] = on_demand(shaken.sources[MODELS])
    return shaken


def calls(client: str) -> list[str]:
    """Return the API calls that a trimmed client makes: its methods ``..._with_options``."""
    methods = [
        method.name
        for node in ast.parse(client).body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    ]
    return sorted(name for name in methods if name.endswith("_with_options"))


def on_demand(source: str) -> str:
    """Turn a package of imports into one that imports the file of a name when the name is asked for."""
    files = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            if node.level != 1 or not node.module or "." in node.module:
                raise BuildError(f"{MODELS} imports from {node.module!r}: only files beside it were expected")
            files.update({alias.asname or alias.name: node.module for alias in node.names})
        elif not isinstance(node, ast.ImportFrom):
            raise BuildError(f"{MODELS} holds more than imports (line {node.lineno}): it can't be loaded on demand")
    rows = "".join(f"    {name!r}: {file!r},\n" for name, file in sorted(files.items()))
    return _ON_DEMAND.replace("ROWS", rows)


_ON_DEMAND = '''"""Which file holds which model; written by the build in place of one import for each of them."""

from importlib import import_module

_FILES = {
ROWS}


def __getattr__(name):
    if name not in _FILES:
        raise AttributeError(f"{__name__} has no {name} in this package: see src/bundle/sdk.py")
    model = globals()[name] = getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
    return model
'''


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, alias.name) for alias in node.names if alias.name.partition(".")[0] in PACKAGES)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
