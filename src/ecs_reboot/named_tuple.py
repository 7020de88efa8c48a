"""``NamedTuple`` as ``typing`` has it, defined five times as fast: a cold start defines about eighty of them.

The standard one compiles a constructor for each class and checks each annotation, a sixth of a millisecond every time
(docs/understand/performance.md). Here classes with as many fields share one compiled constructor under the names of
their own fields. Types, instances and speed of use are the same; ``typing``'s own serves where annotations are no
longer there when a class is made (Python 3.14), and for type checkers.
"""

import sys
from collections import _tuplegetter  # type: ignore[attr-defined]  # what reads the fields of the standard ones
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

_new = tuple.__new__
_NAMESPACE = {"new": _new, "__name__": __name__, "__builtins__": {}}
_CONSTRUCTORS: dict[int, CodeType] = {}


def _constructor(count: int) -> CodeType:
    if count not in _CONSTRUCTORS:
        fields = "".join(f"_{number}, " for number in range(count))
        _CONSTRUCTORS[count] = eval(f"lambda cls, {fields}: new(cls, ({fields}))").__code__  # noqa: S307 - of a number
    return _CONSTRUCTORS[count]


def _repr(self: Any) -> str:
    listed = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({listed})"


def _replace(self: Any, /, **values: Any) -> Any:
    replaced = _new(type(self), map(values.pop, self._fields, self))
    if values:
        raise ValueError(f"{type(self).__name__} has no field {', '.join(values)}")
    return replaced


def _arguments(self: Any) -> tuple[Any, ...]:
    return tuple(self)


def _as_dict(self: Any) -> dict[str, Any]:
    return dict(zip(self._fields, self, strict=True))


def _make(cls: Any, values: Iterable[Any]) -> Any:
    made = _new(cls, values)
    if len(made) != len(cls._fields):
        raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
    return made


_SHARED = {
    "__slots__": (), "__repr__": _repr, "__getnewargs__": _arguments, "_asdict": _as_dict,
    "_make": classmethod(_make), "_replace": _replace,
}  # fmt: skip


class _Definition(type):
    """Makes a class that names ``NamedTuple`` as its base a tuple."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        if not bases:  # NamedTuple itself
            return super().__new__(mcs, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        defaults = {field: body[field] for field in fields if field in body}
        if tuple(defaults) != fields[len(fields) - len(defaults) :]:
            raise TypeError(f"{name}: a field without a default follows one with a default")
        code = _constructor(len(fields)).replace(co_varnames=("cls", *fields))
        return type(
            name,
            (tuple,),
            _SHARED  # what the class defines itself stands before it
            | body
            | {field: _tuplegetter(number, "") for number, field in enumerate(fields)}
            | {
                "__new__": FunctionType(code, _NAMESPACE, "__new__", tuple(defaults.values())),
                "__match_args__": fields,
                "_field_defaults": defaults,
                "_fields": fields,
            },
        )


if TYPE_CHECKING or sys.version_info >= (3, 14):
    from typing import NamedTuple
else:

    class NamedTuple(metaclass=_Definition):
        """The base of a named tuple."""


__all__ = ["NamedTuple"]
