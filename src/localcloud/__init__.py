"""A strict stand-in for Alibaba Cloud on loopback: what a program or test needs of it (docs/develop/local-cloud.md).

The names are loaded when they are first used: a command that needs one service loads no other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.account.cloud import Cloud
    from localcloud.account.credentials import KeyPair
    from localcloud.account.declaration_errors import DeclarationError
    from localcloud.account.faults import Fault
    from localcloud.account.fleet import Fleet, InstanceSpec
    from localcloud.account.fleet import default as default_fleet
    from localcloud.account.fleet import load as load_fleet
    from localcloud.functioncompute.function import Function
    from localcloud.server.server import Running, running, serve

__all__ = (
    "Cloud",
    "DeclarationError",
    "Fault",
    "Fleet",
    "Function",
    "InstanceSpec",
    "KeyPair",
    "Running",
    "default_fleet",
    "load_fleet",
    "running",
    "serve",
)

_HOME = {
    "Cloud": ("account.cloud", "Cloud"),
    "DeclarationError": ("account.mistakes", "DeclarationError"),
    "Fault": ("account.faults", "Fault"),
    "Fleet": ("account.fleet", "Fleet"),
    "Function": ("functioncompute.function", "Function"),
    "InstanceSpec": ("account.fleet", "InstanceSpec"),
    "KeyPair": ("account.credentials", "KeyPair"),
    "Running": ("server.server", "Running"),
    "default_fleet": ("account.fleet", "default"),
    "load_fleet": ("account.fleet", "load"),
    "running": ("server.server", "running"),
    "serve": ("server.server", "serve"),
}


def __getattr__(name: str) -> Any:
    """Load a public name."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _HOME[name]
    return getattr(import_module(f"{__name__}.{module}"), own)
