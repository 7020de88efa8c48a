"""The search half of a GetLogs query: words, ``key: value``, ``and``, ``or``, ``not``, parentheses, ``*``.

Words match whole words of a field, whatever the case; ``abc*`` matches a word's beginning, a quoted text matches where
all its words do, and words side by side are joined by ``and``. The analysis half (``| select``), comparisons and ranges
are refused by name rather than ignored.
"""

import re
from collections.abc import Callable, Mapping

Fields = Mapping[str, str]
Predicate = Callable[[Fields], bool]

# What separates words in an index unless its owner says otherwise.
_DELIMITERS = re.compile(r"[\s,'\";=()\[\]{}?@&<>/:]+")
_TOKENS = re.compile(r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<mark>[():])|(?P<word>[^\s():"]+)|(?P<rest>\S))')
_UNSUPPORTED = re.compile(r"[|<>=\[\]]")


class QueryError(ValueError):
    """The query can't be understood here; the text says which part."""


def parse(query: str) -> Predicate:
    """Make a test of a log's fields out of ``query``; an empty query or ``*`` takes every log."""
    parser = _Parser(query)
    if not parser.tokens:
        return _everything
    predicate = parser.disjunction()
    if parser.tokens:
        raise QueryError(f"the query {query!r} has {parser.tokens[0][1]!r} where and, or or the end is expected")
    return predicate


class _Parser:
    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens: list[tuple[str, str]] = []
        for match in _TOKENS.finditer(query):
            kind = match.lastgroup or "rest"
            text = match[kind]
            if kind == "rest" or (kind == "word" and _UNSUPPORTED.search(text)):
                raise QueryError(
                    f"the query {query!r} has {text!r}: only words, key: value, and, or, not are known here"
                )
            self.tokens.append((kind, text))

    def disjunction(self) -> Predicate:
        parts = [self.conjunction()]
        while self._take_word("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda fields: any(part(fields) for part in parts)

    def conjunction(self) -> Predicate:
        parts = [self.negation()]
        while self.tokens and self.tokens[0] != ("mark", ")") and not self._next_is("or"):
            self._take_word("and")
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda fields: all(part(fields) for part in parts)

    def negation(self) -> Predicate:
        if self._take_word("not"):
            inner = self.negation()
            return lambda fields: not inner(fields)
        return self.term()

    def term(self) -> Predicate:
        kind, text = self._take()
        if (kind, text) == ("mark", "("):
            inner = self.disjunction()
            if self._take() != ("mark", ")"):
                raise QueryError(f"the query {self.query!r} has a parenthesis that is not closed")
            return inner
        if kind == "mark" or (kind == "word" and text.lower() in ("and", "or")):
            raise QueryError(f"the query {self.query!r} has {text!r} where a word is expected")
        if self.tokens and self.tokens[0] == ("mark", ":"):
            self._take()
            wanted_kind, wanted = self._take()
            if wanted_kind == "mark":
                raise QueryError(f"the query {self.query!r} has no value after {text}:")
            return lambda fields: text in fields and _holds(wanted, fields[text])
        return lambda fields: any(_holds(text, value) for value in fields.values())

    def _take(self) -> tuple[str, str]:
        if not self.tokens:
            raise QueryError(f"the query {self.query!r} ends where a word is expected")
        return self.tokens.pop(0)

    def _next_is(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0][0] == "word" and self.tokens[0][1].lower() == word

    def _take_word(self, word: str) -> bool:
        if self._next_is(word):
            self.tokens.pop(0)
            return True
        return False


def _everything(_: Fields) -> bool:
    return True


def _holds(wanted: str, value: str) -> bool:
    present = _words(value)
    return all(
        any(word.startswith(part[:-1]) for word in present) if part.endswith("*") else part in present
        for part in _words(wanted)
        if part != "*"
    )


def _words(text: str) -> set[str]:
    return {word for word in _DELIMITERS.split(text.lower()) if word}
