"""The models' core schemas, as Python source: what pydantic works out at each start, written down at build time.

Taken from the real models under the real pydantic. What the small runtime (``pydantic_runtime.py``) does not know - a
validator, a computed field, an alias - stops the build.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bundle import BuildError

#: What a model may hold, by the name of its core schema's type. Anything else is new: check that the runtime can do it.
KNOWN = frozenset(
    {
        "model", "model-fields", "model-field", "default", "nullable", "str", "int", "float", "bool", "date",
        "datetime", "literal", "tuple",
    }
)  # fmt: skip
#: What the source may ask of a model beyond its fields.
OFFERED = frozenset({"model_copy", "model_dump", "model_validate", "model_validate_json", "model_config"})
#: What a file holds that asks anything of pydantic.
_NAMED = re.compile(r"pydantic|\bmodel_|\b__fields")
#: What the source may import from pydantic.
EXPORTED = frozenset({"BaseModel", "ConfigDict", "ValidationError"})
#: Settings of a model that the runtime carries out; the values as well, since there is only one of each.
CONFIG = {"frozen": True, "extra": "forbid"}

_LEFT_OUT = ("ref", "metadata", "computed_fields", "custom_init", "root_model")


def models_of(package: str) -> dict[str, Any]:
    """Import every module of the package and return its models by qualified name."""
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        importlib.import_module(module.name)
    base = importlib.import_module("pydantic").BaseModel
    return {_name(cls): cls for cls in sorted(_subclasses(base), key=_name) if cls.__module__.startswith(package)}


def check_source(directory: Path) -> None:
    """Raise BuildError where the function's source asks more of pydantic than the runtime offers."""
    for path in sorted(directory.rglob("*.py")):
        text = path.read_text()
        if not _NAMED.search(text):  # most files: to parse them would take a tenth of the build
            continue
        for node in ast.walk(ast.parse(text, str(path))):
            asked = set()
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pydantic":
                asked = {alias.name for alias in node.names} - EXPORTED
            elif isinstance(node, ast.Attribute) and node.attr.startswith(("model_", "__pydantic", "__fields")):
                asked = {node.attr} - OFFERED
            if asked:
                raise BuildError(
                    f"{path.name}:{getattr(node, 'lineno', 0)} uses {', '.join(sorted(asked))}, which "
                    "src/bundle/pydantic_runtime.py does not offer"
                )


def table(models: dict[str, Any]) -> str:
    """Return the source of ``SCHEMAS``: qualified name -> field names and a maker of the core schema."""
    rows = []
    for name, cls in models.items():
        config = {key: value for key, value in cls.model_config.items() if value is not None}
        if config != CONFIG:
            raise BuildError(f"{name} has the configuration {config}; the runtime knows {CONFIG} only")
        # A model without fields is a base for others: pydantic builds it like any other.
        schema = _plain(cls.__pydantic_core_schema__, name)
        rows.append(f"    {name!r}: ({tuple(cls.model_fields)!r}, lambda: {_source(schema, name, top=True)}),\n")
    return "SCHEMAS.update({\n" + "".join(rows) + "})\n"


def _plain(schema: Any, where: str) -> Any:
    """Resolve references: the definitions that pydantic shares between models are written out where they are used."""
    if schema.get("type") != "definitions":
        return schema
    shared = {definition["ref"]: definition for definition in schema["definitions"]}

    def resolved(node: Any, inside: tuple[str, ...]) -> Any:
        if isinstance(node, dict):
            if node.get("type") == "definition-ref":
                ref = node["schema_ref"]
                if ref in inside:
                    raise BuildError(f"{where} contains itself: the runtime can't build such a model")
                return resolved(shared[ref], (*inside, ref))
            return {key: resolved(value, inside) for key, value in node.items() if key != "definitions"}
        if isinstance(node, (list, tuple)):
            return type(node)(resolved(item, inside) for item in node)
        return node

    return resolved(schema["schema"], ())


def _source(node: Any, where: str, *, top: bool = False) -> str:
    if isinstance(node, dict):
        kind = node.get("type")
        if isinstance(kind, str):
            if kind not in KNOWN:
                raise BuildError(f"{where}: core schema {kind!r} is not known to the runtime")
            if kind == "model" and not top:
                return f"nested({_name(node['cls'])!r})"
            if node.get("computed_fields") or node.get("custom_init") or node.get("root_model"):
                raise BuildError(f"{where}: computed fields, own __init__ and root models are not known to the runtime")
        items = [
            f"{key!r}: {_source(value, f'{where}.{key}')}"
            for key, value in node.items()
            if not (isinstance(kind, str) and key in _LEFT_OUT)
        ]
        return "{" + ", ".join(items) + "}"
    if isinstance(node, (list, tuple)):
        inner = "".join(_source(item, where) + ", " for item in node)
        return f"[{inner}]" if isinstance(node, list) else f"({inner})"
    if isinstance(node, type):
        return f"MODELS[{_name(node)!r}]"
    if node is None or isinstance(node, (str, int, float, bool)):
        return repr(node)
    raise BuildError(f"{where}: {node!r} can't be written down: a validator or a default that is computed?")


def _subclasses(cls: Any) -> Iterator[Any]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _name(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
