"""The function's quick named tuples do what the standard library's do."""

import copy
import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from ecs_reboot import named_tuple


class QuickSecret(named_tuple.NamedTuple):
    """Keeps its value to itself."""

    value: str

    def __repr__(self) -> str:
        """Return no value."""
        return "***"


class Quick(named_tuple.NamedTuple):
    """A row."""

    name: str
    number: int = 3
    words: "tuple[str, ...]" = ()

    @property
    def twice(self) -> int:
        """Twice the number."""
        return 2 * self.number

    @classmethod
    def of(cls, name: str) -> "Quick":
        """Make one."""
        return cls(name)


class StandardSecret(typing.NamedTuple):
    """Keeps its value to itself."""

    value: str

    def __repr__(self) -> str:
        """Return no value."""
        return "***"


class Standard(typing.NamedTuple):
    """A row."""

    name: str
    number: int = 3
    words: "tuple[str, ...]" = ()

    @property
    def twice(self) -> int:
        """Twice the number."""
        return 2 * self.number

    @classmethod
    def of(cls, name: str) -> "Standard":
        """Make one."""
        return cls(name)


def matched(row: Any) -> Any:
    match row:
        case Quick(name, number) | Standard(name, number):
            return name, number
        case _:
            return None


USES: dict[str, Callable[[Any], Any]] = {
    "positional": lambda cls: cls("a", 1, ("b",)),
    "by name": lambda cls: cls(words=("b",), name="a"),
    "defaults": lambda cls: cls("a"),
    "nothing": lambda cls: cls(),
    "too many": lambda cls: cls(1, 2, 3, 4),
    "an unknown name": lambda cls: cls("a", colour=1),
    "twice the same": lambda cls: cls("a", name="b"),
    "fields": lambda cls: [cls("a").name, cls("a").number, cls("a").words, cls("a").twice],
    "class method": lambda cls: cls.of("a"),
    "replaced": lambda cls: cls("a")._replace(number=4),
    "a field that is not there replaced": lambda cls: cls("a")._replace(colour=4),
    "set": lambda cls: setattr(cls("a"), "name", "b"),
    "another attribute set": lambda cls: setattr(cls("a"), "colour", "b"),
    "equal to a tuple": lambda cls: cls("a") == ("a", 3, ()),
    "hash": lambda cls: hash(cls("a")) == hash(("a", 3, ())),
    "order": lambda cls: sorted([cls("b"), cls("a")]),
    "unpacked": lambda cls: [*cls("a")],
    "text": lambda cls: repr(cls("a'", 1, ("b",))),
    "matched": lambda cls: matched(cls("a", 2)),
    "copied": lambda cls: [copy.copy(cls("a")), copy.deepcopy(cls("a"))],
    "pickled": lambda cls: pickle.loads(pickle.dumps(cls("a"))),  # noqa: S301 - our own
    "documentation": lambda cls: cls.__doc__,
    "its fields": lambda cls: [cls._fields, cls._field_defaults, cls.__match_args__, cls.__slots__],
    "its types": typing.get_type_hints,
    "what a class says of itself": lambda cls: (QuickSecret if cls is Quick else StandardSecret)("secret"),
    "made of a list": lambda cls: cls._make(["a", 1, ()]),
    "made of too few": lambda cls: cls._make(["a"]),
    "as a dict": lambda cls: cls("a")._asdict(),
    "bases": lambda cls: cls.__mro__[1:],
}


def done(use: Callable[[Any], Any], cls: type) -> str:
    try:
        said = repr(use(cls))
    except (TypeError, ValueError, AttributeError) as error:
        said = type(error).__name__
    return said.replace(cls.__name__, "Row")


@pytest.mark.parametrize("use", USES)
def test_it_does_what_the_standard_one_does(use: str) -> None:
    assert done(USES[use], Quick) == done(USES[use], Standard)


def test_a_field_without_a_default_after_one_with_a_default_is_refused() -> None:
    with pytest.raises(TypeError, match="default"):

        class Wrong(named_tuple.NamedTuple):
            first: int = 1
            second: int  # type: ignore[misc]


def test_no_fields_are_no_fields() -> None:
    class Empty(named_tuple.NamedTuple):
        pass

    assert Empty() == ()
    assert repr(Empty()) == "Empty()"
