"""A check of one assumption about the live service, and what it finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from acceptance.stage import Stage

#: ``holds``: it is as assumed. ``differs``: it is not, and ``Check.if_wrong`` says what to change. ``unknown``: nothing
#: was learnt. ``skipped``: it was not allowed to act.
Verdict = Literal["holds", "differs", "unknown", "skipped"]
#: What a check needs beside credentials: the deployed stack, or a role of its own with the function's rights.
Need = Literal["stack", "role"]


class CheckFinding(NamedTuple):
    """What a check found; ``saw`` is what was seen, in words, with IDs that the report replaces."""

    verdict: Verdict
    saw: str


class Check(NamedTuple):
    """One assumption. ``name`` is unique, lower case with hyphens.

    ``acts``: what it changes, empty where it only reads. ``needs`` is made before it runs, ``also`` says what a person
    must have ready. ``if_wrong``: what that means for template and code. ``listed``: whether it stands in
    docs/understand/unverified.md; what is not is a measurement.
    """

    name: str
    assumes: str
    if_wrong: str
    run: "Callable[[Stage], CheckFinding]"
    needs: tuple[Need, ...] = ()
    also: str = ""
    acts: str = ""
    costs: str = "nothing"
    listed: bool = True


def holds(saw: str) -> CheckFinding:
    """Return that it is as assumed."""
    return CheckFinding("holds", saw)


def differs(saw: str) -> CheckFinding:
    """Return that it is not."""
    return CheckFinding("differs", saw)


def unknown(saw: str) -> CheckFinding:
    """Return that nothing was learnt."""
    return CheckFinding("unknown", saw)
