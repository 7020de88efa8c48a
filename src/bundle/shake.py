"""Tree shaking: of a set of modules, keep what can be reached by name from given roots, as it stands in the source.

A definition is reachable when its name occurs anywhere in reachable code: as a name, an attribute or an imported name.
That errs on the side of keeping. What is kept is kept byte for byte; only whole statements, methods and names of an
import go. ``cuts`` name what is not followed although something names it; each must exist, and nothing but a cut may
leave a name behind that is used and not defined.
"""

import ast
import builtins
import dis
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import CodeType
from typing import NamedTuple

from bundle import BuildError

#: Module -> name (``Class.method`` for a method) -> why it is never reached.
Cuts = Mapping[str, Mapping[str, str]]
#: Gives the source of a module and whether it is a package; None for a module of somebody else.
Find = Callable[[str], tuple[str, bool] | None]

#: Built-in bases that call no methods of a subclass but those with names like __this__, which are kept anyway.
_PLAIN_BASES = frozenset({"object", "type", "Exception"})


class Alias(NamedTuple):
    """One name that an import statement binds, and the modules it needs (the name itself may be one)."""

    bound: str
    modules: tuple[str, ...]
    name: str
    node: ast.alias


@dataclass(frozen=True)
class Unit:
    """A statement of a module or of a class body that stays or goes as a whole.

    ``whole``: a class with a base out of somebody else's module, which may call any of its methods.
    ``lazy``: its module never evaluates annotations.
    """

    node: ast.stmt
    names: frozenset[str]
    lazy: bool
    members: tuple["Unit", ...] = ()
    aliases: tuple[Alias, ...] = ()
    whole: bool = False

    @cached_property
    def uses(self) -> frozenset[str]:
        """The identifiers it uses, but for its members' own: found when asked, for most units are never kept."""
        if self.aliases:
            return frozenset()
        node = self.node
        parts: list[ast.AST] = [node]
        if isinstance(node, ast.ClassDef):
            parts = [*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list]
        return frozenset().union(*(_identifiers(part, lazy=self.lazy) for part in parts))


class Module:
    """One parsed module."""

    def __init__(self, name: str, source: str, find: Find, *, package: bool) -> None:
        self.name, self.source, self.package = name, source, package
        tree = ast.parse(source, name)
        self.lazy = any(isinstance(method, ast.ImportFrom) and method.module == "__future__" for method in tree.body)
        units = tuple(self._unit(statement) for statement in tree.body)
        strange = {alias.bound for unit in units for alias in unit.aliases if not any(map(find, alias.modules))}
        strange |= set(dir(builtins)) - _PLAIN_BASES
        self.units = tuple(
            replace(unit, whole=bool(_bases(unit.node) & strange)) if isinstance(unit.node, ast.ClassDef) else unit
            for unit in units
        )

    def _unit(self, node: ast.stmt) -> Unit:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            aliases = tuple(self._aliases(node))
            return Unit(node, frozenset(alias.bound for alias in aliases), self.lazy, aliases=aliases)
        if isinstance(node, ast.ClassDef):
            return Unit(node, frozenset([node.name]), self.lazy, tuple(map(self._unit, node.body)))
        return Unit(node, frozenset(_bound(node)), self.lazy)

    def _aliases(self, node: ast.Import | ast.ImportFrom) -> Iterator[Alias]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Alias(alias.asname or alias.name.partition(".")[0], (alias.name,), "", alias)
            return
        base = node.module or ""
        if node.level:
            parent = self.name.split(".")
            parent = parent[: len(parent) - node.level + self.package]
            base = ".".join([*parent, *([base] if base else [])])
        for alias in node.names:
            yield Alias(alias.asname or alias.name, (base, f"{base}.{alias.name}"), alias.name, alias)


class Shaken(NamedTuple):
    """What is left: sources by module; the modules of others that they import, each with its importers."""

    sources: dict[str, str]
    packages: frozenset[str]
    foreign: dict[str, set[str]]


def shake(find: Find, modules: set[str], live: set[str], cuts: Cuts) -> Shaken:
    """Keep what ``live`` names reach from ``modules``. Raises BuildError where a cut does not fit."""
    loaded: dict[str, Module] = {}
    foreign: dict[str, set[str]] = {}
    wanted = {f"{name}": "the function" for name in modules}
    live = set(live)
    before: tuple[int, int] = (-1, -1)
    while before != (len(live), len(loaded)):
        before = (len(live), len(loaded))
        for name, importer in list(wanted.items()):
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                _load(".".join(parts[:depth]), importer, find, loaded, foreign)
        for module in loaded.values():
            cut = cuts.get(module.name, {})
            used = _used(module, live, cut)
            live |= used
            for unit in module.units:
                for alias in _kept_aliases(module, unit, used, live, cut):
                    live.add(alias.name)
                    for name in alias.modules[:1] if find(alias.modules[-1]) is None else alias.modules:
                        wanted.setdefault(name, module.name)
    sources = {}
    for module in loaded.values():
        cut = cuts.get(module.name, {})
        _check_cuts(module, cut)
        sources[module.name] = _rendered(module, live, cut)
        _check_names(module.name, sources[module.name], cut)
    foreign.pop("", None)
    return Shaken(sources, frozenset(module.name for module in loaded.values() if module.package), foreign)


def _load(name: str, importer: str, find: Find, loaded: dict[str, Module], foreign: dict[str, set[str]]) -> None:
    if name in loaded:
        return
    found = find(name)
    if found is None:
        foreign.setdefault(name, set()).add(importer)
    else:
        loaded[name] = Module(name, found[0], find, package=found[1])


def _used(module: Module, live: set[str], cut: Mapping[str, str]) -> set[str]:
    """Return the identifiers that the module's kept code uses."""
    used: set[str] = set()
    for unit in module.units:
        if not _kept(unit, live, cut):
            continue
        used |= unit.uses
        for member in unit.members:
            if _member_kept(member, unit, live, cut):
                used |= member.uses
    return used


def _kept(unit: Unit, live: set[str], cut: Mapping[str, str]) -> bool:
    node = unit.node
    if unit.aliases or unit.names & cut.keys() or "__all__" in unit.names:
        return False
    if isinstance(node, ast.Expr):  # a call such as logger.setLevel() stays with what it is about; loose texts go
        return isinstance(node.value, ast.Call) and bool(_root(node.value) & live)
    return not unit.names or bool(unit.names & live)


def _member_kept(member: Unit, owner: Unit, live: set[str], cut: Mapping[str, str]) -> bool:
    if any(f"{next(iter(owner.names))}.{name}" in cut for name in member.names) or isinstance(member.node, ast.Expr):
        return False
    return owner.whole or not member.names or any(name in live or _special(name) for name in member.names)


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _kept_aliases(module: Module, unit: Unit, used: set[str], live: set[str], cut: Mapping[str, str]) -> list[Alias]:
    if isinstance(unit.node, ast.ImportFrom) and unit.node.module == "__future__":
        return list(unit.aliases)
    needed = live if module.package else used
    return [alias for alias in unit.aliases if alias.bound in needed and alias.bound not in cut]


def _rendered(module: Module, live: set[str], cut: Mapping[str, str]) -> str:
    """Return the source without what is not kept; the rest is not touched."""
    used = _used(module, live, cut)
    lines = dict(enumerate(module.source.splitlines(keepends=True), 1))

    def put(node: ast.stmt, instead: str) -> None:
        for number in range(_first_line(node), (node.end_lineno or node.lineno) + 1):
            lines[number] = ""
        lines[_first_line(node)] = instead

    for unit in module.units:
        if unit.aliases:
            kept = _kept_aliases(module, unit, used, live, cut)
            if len(kept) < len(unit.aliases):
                put(unit.node, _import_of(unit.node, kept))
        elif not _kept(unit, live, cut):
            put(unit.node, "")
        else:
            gone = [member for member in unit.members if not _member_kept(member, unit, live, cut)]
            for member in gone:
                put(member.node, "")
            if gone and len(gone) == len(unit.members):
                lines[_first_line(gone[0].node)] = " " * gone[0].node.col_offset + "pass\n"
    return "".join(lines[number] for number in sorted(lines))


def _import_of(node: ast.stmt, kept: list[Alias]) -> str:
    """Write an import statement again, with fewer names."""
    names = [statement.node for statement in kept]
    if not names:
        return ""
    if isinstance(node, ast.ImportFrom):
        return ast.unparse(ast.ImportFrom(module=node.module, names=names, level=node.level)) + "\n"
    return ast.unparse(ast.Import(names=names)) + "\n"


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _check_cuts(module: Module, cut: Mapping[str, str]) -> None:
    there = {name for unit in module.units for name in unit.names}
    for unit in module.units:
        if isinstance(unit.node, ast.ClassDef):
            there |= {f"{unit.node.name}.{name}" for member in unit.members for name in member.names}
    missing = sorted(cut.keys() - there)
    if missing:
        raise BuildError(
            f"{module.name} no longer has {', '.join(missing)}, which src/bundle/sdk.py cuts away: "
            "the package has changed; read what it does now and bring the table up to date"
        )


def _check_names(name: str, source: str, cut: Mapping[str, str]) -> None:
    """Raise where kept code uses a global name that is gone and was not cut on purpose."""
    stored, loaded = _globals_of(compile(source, name, "exec"), top=True)
    missing = sorted(loaded - stored - set(dir(builtins)) - {"__name__", "__file__", "__doc__"} - cut.keys())
    if missing:
        raise BuildError(
            f"{name} uses {', '.join(missing)}, which is not defined in what is kept of it: "
            "src/bundle/shake.py does not understand how the package is written now"
        )


def _globals_of(code: CodeType, *, top: bool = False) -> tuple[set[str], set[str]]:
    stored: set[str] = set()
    loaded: set[str] = set()
    local: set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_NAME":
            (stored if top else local).add(instruction.argval)
        elif instruction.opname == "STORE_GLOBAL":
            stored.add(instruction.argval)
        elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            loaded.add(instruction.argval)
    loaded -= local | {"__qualname__", "__module__", "__annotations__"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _globals_of(constant)
            stored |= inner[0]
            loaded |= inner[1]
    return stored, loaded


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        yield node.target.id


def _root(node: ast.expr) -> set[str]:
    """Return the name that an expression such as ``a.b.c()`` starts from."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _bases(node: ast.ClassDef) -> set[str]:
    return set().union(*map(_root, node.bases), set())


def _identifiers(node: ast.AST, *, lazy: bool, inside: bool = False) -> set[str]:
    """Return every name and attribute, but not those of annotations that are never evaluated."""
    found: set[str] = set()
    if isinstance(node, ast.Name):
        found.add(node.id)
    elif isinstance(node, ast.Attribute):
        found.add(node.attr)
    elif isinstance(node, ast.alias):
        found.add(node.name.rpartition(".")[2])
    function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for field, value in ast.iter_fields(node):
        if field == "returns" and lazy:
            continue
        if field == "annotation" and (lazy or (inside and isinstance(node, ast.AnnAssign))):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                found |= _identifiers(child, lazy=lazy, inside=inside or (function and field == "body"))
    return found
