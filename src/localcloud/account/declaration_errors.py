"""Mistakes in declared values, as sentences: where, which value, how to fix it."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

Where = Callable[[Sequence[int | str]], str]


class DeclarationError(ValueError):
    """One or more mistakes in a fleet file or a fault; ``mistakes`` has one sentence each, the text all of them."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(mistakes))


def nearest(word: str, words: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for the word most like ``word``, or nothing."""
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def format_errors(
    error: ValidationError, where: Where, fields: Callable[[Sequence[int | str]], Sequence[str]]
) -> list[str]:
    """Put a validation error into sentences.

    ``where`` names the place of a location, ``fields`` lists the fields allowed in the mapping at a location.
    """
    return [_sentence(detail, where, fields) for detail in error.errors(include_url=False)]


def _sentence(detail: Any, where: Where, fields: Callable[[Sequence[int | str]], Sequence[str]]) -> str:
    loc, kind, value = detail["loc"], detail["type"], detail["input"]
    if kind == "extra_forbidden":
        allowed = fields(loc[:-1])
        hint = nearest(str(loc[-1]), allowed) or f"; known: {', '.join(allowed)}"
        return f"{where(loc[:-1])}: unknown field {loc[-1]!r}{hint}"
    if kind == "missing":
        return f"{where(loc[:-1])}: field {loc[-1]!r} is missing"
    text = detail["msg"].removeprefix("Value error, ")
    if kind == "literal_error":
        allowed = [word.strip("'") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"{where(loc)}: {value!r} is not one of {', '.join(allowed)}{nearest(str(value), allowed)}"
    if kind == "value_error":
        return f"{where(loc)}: {text}"
    if kind == "string_type":
        return f"{where(loc)}: {value!r} is not text: put it into quotes"
    return f"{where(loc)}: {value!r}: {text[:1].lower()}{text[1:]}"
