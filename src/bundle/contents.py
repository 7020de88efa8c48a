"""What goes into the package: the function, the trimmed SDK, pydantic's Rust core behind a small runtime."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from bundle import BuildError, schemas, sdk
from bundle.distributions import Distribution
from bundle.shake import Find, Shaken

INDEX = b'''"""The entry points that the template names: index.handle and index.initialize."""

import gc

# A cold start makes tens of thousands of objects that stay; looking through them for garbage finds none.
gc.set_threshold(50_000)

from ecs_reboot.handler import handle
from ecs_reboot.handler import initialize

__all__ = ["handle", "initialize"]
'''

#: pydantic_core's own __init__ loads hundreds of types that help to write schemas; ours are written.
_CORE = b'"""Holds the Rust core alone: see pydantic.py."""\n'


def of_function(source: Path) -> dict[str, bytes]:
    """Return the function's own modules; other packages beside it are never packed."""
    package = source / "ecs_reboot"
    found = {path.relative_to(source).as_posix(): path.read_bytes() for path in package.rglob("*.py")}
    return {"index.py": INDEX, **found}


def of_sdk(distributions: Iterable[Distribution], source: Path) -> tuple[dict[str, bytes], Shaken]:
    """Return what the function reaches of the SDK."""
    files = {path: data for distribution in distributions for path, data in distribution.members.items()}
    shaken = sdk.trimmed(finder(files), source / "ecs_reboot")
    written = {}
    for name, text in shaken.sources.items():
        path = name.replace(".", "/") + ("/__init__.py" if name in shaken.packages else ".py")
        written[path] = text.encode()
    return written, shaken


def finder(files: dict[str, bytes]) -> Find:
    """Look modules of the SDK up among the files of the distributions."""

    def find(name: str) -> tuple[str, bool] | None:
        if name.partition(".")[0] not in sdk.PACKAGES:
            return None
        path = name.replace(".", "/")
        for file, package in ((f"{path}/__init__.py", True), (f"{path}.py", False)):
            if file in files:
                return files[file].decode(), package
        return None

    return find


def of_pydantic(distributions: Iterable[Distribution], source: Path) -> dict[str, bytes]:
    """Return pydantic as the function needs it: the runtime with the models' schemas, and the Rust core."""
    (core,) = (distribution for distribution in distributions if distribution.name == "pydantic_core")
    if version(core.name) != core.version:
        raise BuildError(f"schemas would be made by {core.name} {version(core.name)}, but {core.version} is packed")
    schemas.check_source(source / "ecs_reboot")
    runtime = Path(__file__).with_name("pydantic_runtime.py").read_text()
    table = schemas.table(schemas.models_of("ecs_reboot"))
    compiled = {path: data for path, data in core.members.items() if path.endswith(".so")}
    if len(compiled) != 1:
        raise BuildError(f"{core.file} holds {sorted(compiled) or 'no compiled module'}; one was expected")
    return {"pydantic.py": f"{runtime}\n\n{table}".encode(), "pydantic_core/__init__.py": _CORE, **compiled}


def of_licences(distributions: Iterable[Distribution]) -> dict[str, bytes]:
    """Return the licence texts that the packages carry; they must go where their code goes."""
    return {
        f"licences/{distribution.name}/{name}": text
        for distribution in distributions
        for name, text in sorted(distribution.licence_texts.items())
    }
