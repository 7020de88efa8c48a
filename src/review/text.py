"""Plain text for a person: lines that fit, numbers with their noun, lengths of time in a unit that says something."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime

WIDTH = 118
#: From how many of a unit on it is used: 119 s are seconds, 120 s are 2 min.
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
_AT_LEAST = 2


def wrapped(lead: str, text: str) -> str:
    """Return the text after its lead, later lines indented as far as the lead reaches."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 record`, `2 records`, `10,000 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some(names: Sequence[str], most: int) -> str:
    """List the first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def activity(counts: Iterable[tuple[str, int]]) -> str:
    """Return `12 cooldown, 3 storm`, the most frequent first."""
    return ", ".join(
        f"{count:,} {name}" for name, count in sorted(counts, key=lambda counted: (-counted[1], counted[0]))
    )


def utc(moment: datetime | None) -> str:
    """Return the time as ECS writes it, seconds where there are any; `none`."""
    if moment is None:
        return "none"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def span(seconds: float) -> str:
    """Return `23 s`, `45 min`, `30 h`, `30 d`: cut, never rounded up."""
    for unit, length in _UNITS:
        if seconds >= _AT_LEAST * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return the time and how long before ``now`` it was; `none`."""
    if moment is None:
        return "none"
    seconds = (now - moment).total_seconds()
    return f"{utc(moment)} ({span(seconds)} ago)" if seconds >= 0 else f"{utc(moment)} (in {span(-seconds)})"
