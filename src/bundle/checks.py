"""What can be told of a package without running it on the runtime."""

import ast
import re
from collections.abc import Iterator, Mapping

from bundle import BuildError
from bundle.runtimes import Runtime, Version

#: Names of the standard library that came after 3.10, which is the oldest runtime: the ones one would reach for.
LATER: Mapping[str, Version] = {
    "tomllib": (3, 11), "asyncio.TaskGroup": (3, 11), "asyncio.timeout": (3, 11), "datetime.UTC": (3, 11),
    "enum.StrEnum": (3, 11), "hashlib.file_digest": (3, 11), "typing.LiteralString": (3, 11), "typing.Never": (3, 11),
    "typing.NotRequired": (3, 11), "typing.Required": (3, 11), "typing.Self": (3, 11), "typing.Unpack": (3, 11),
    "typing.assert_never": (3, 11), "typing.assert_type": (3, 11), "typing.reveal_type": (3, 11),
    "itertools.batched": (3, 12), "typing.override": (3, 12), "typing.TypeAliasType": (3, 12),
    "collections.abc.Buffer": (3, 12), "copy.replace": (3, 13), "typing.TypeIs": (3, 13),
    "warnings.deprecated": (3, 13),
}  # fmt: skip


def check_source(files: Mapping[str, bytes], runtime: Runtime) -> None:
    """Raise BuildError where a source needs a newer Python: its grammar, or a name of the standard library."""
    for path, source in files.items():
        if not path.endswith(".py"):
            continue
        try:
            tree = ast.parse(source, path, feature_version=runtime.python)
        except SyntaxError as error:
            raise BuildError(f"{path}:{error.lineno} is no Python {runtime.dotted}: {error.msg}") from error
        if not any(all(part in source for part in name.encode().split(b".")) for name in LATER):
            continue  # most files: to go through their trees would take a quarter of the build
        for name, line in _standard_names(tree):
            if LATER.get(name, (3, 0)) > runtime.python:
                needed = "{}.{}".format(*LATER[name])
                raise BuildError(
                    f"{path}:{line} uses {name}, which Python {runtime.dotted} lacks: it came with {needed}"
                )


def _standard_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module), node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno


def check_compiled(files: Mapping[str, bytes], runtime: Runtime) -> None:
    """Raise BuildError where a compiled module asks for a newer C library, or is for another Python."""
    for path, data in files.items():
        if not path.endswith(".so"):
            continue
        tag = re.search(r"\.cpython-(\d)(\d+)-", path)
        if tag and (int(tag[1]), int(tag[2])) != runtime.python:
            raise BuildError(f"{path} is not for Python {runtime.dotted}")
        newest = newest_glibc(data)
        if newest > runtime.glibc:
            has = "{}.{}".format(*runtime.glibc)
            raise BuildError(f"{path} needs glibc {newest[0]}.{newest[1]}; {runtime.name} has {has}")


def newest_glibc(data: bytes) -> Version:
    """Return the newest version of the GNU C library whose symbols a shared object names."""
    return max((int(version[0]), int(version[1])) for version in re.findall(rb"GLIBC_(\d+)\.(\d+)", data) or [(0, 0)])
