"""What is wrong somewhere in a template: the place, the value found there, and the remedy."""

from typing import Any, NamedTuple

LONGEST_VALUE = 80


class Finding(NamedTuple):
    """One mistake. ``path`` is written with dots and brackets, as ``Resources.Function.Properties.Tags[0].Key``."""

    path: str
    value: Any
    remedy: str

    def __str__(self) -> str:
        told = repr(self.value)
        if isinstance(self.value, str) and self.remedy.startswith(told):
            return f"{self.path}: {self.remedy}"
        return f"{self.path}: {told if len(told) <= LONGEST_VALUE else told[:LONGEST_VALUE] + '…'}: {self.remedy}"


def nearest(word: str, known: Any) -> str:
    """Return ``; did you mean X?`` where a known word is near, else an empty text."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

    near = get_close_matches(word, sorted(map(str, known)), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
