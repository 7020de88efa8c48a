"""The branches of ``Fn::If``: what a value uses, and under which choices.

A template is looked at under every choice of its optional parts. Walking it once for all of them makes that cheap.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from cloud_languages.template.expression import Use, function_of, uses
from cloud_languages.template.render import taken

#: Conditions that must hold, or must not, for a branch to be taken.
Guards = tuple[tuple[str, bool], ...]


class Guarded(NamedTuple):
    """One name that a value uses, and what must be so for that."""

    use: Use
    guards: Guards


def guarded_uses(value: Any, path: str, guards: Guards = ()) -> Iterator[Guarded]:
    """Give every name that a value uses in any branch; its place is that in what ``taken`` leaves."""
    inside = conditions_in(value)
    if not inside:
        for use in uses(value, path):
            yield Guarded(use, guards)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from guarded_uses(item, f"{path}[{number}]", guards)
    elif isinstance(value.get("Fn::If"), list):
        condition, yes, no = value["Fn::If"]
        yield from guarded_uses(yes, path, (*guards, (condition, True)))
        yield from guarded_uses(no, path, (*guards, (condition, False)))
    elif function_of(value):
        # A function of something that is chosen: rare enough to be looked at under each choice.
        for truths in product((True, False), repeat=len(inside)):
            chosen = dict(zip(sorted(inside), truths, strict=True))
            for use in uses(taken(value, chosen), path):
                yield Guarded(use, (*guards, *chosen.items()))
    else:
        for key, item in value.items():
            yield from guarded_uses(item, f"{path}.{key}", guards)


def conditions_in(value: Any) -> set[str]:
    """Return the conditions of every ``Fn::If`` in a value."""
    if isinstance(value, list):
        return {name for item in value for name in conditions_in(item)}
    if not isinstance(value, dict):
        return set()
    choice = value.get("Fn::If")
    own = {choice[0]} if isinstance(choice, list) else set()
    return own | {name for item in value.values() for name in conditions_in(item)}
