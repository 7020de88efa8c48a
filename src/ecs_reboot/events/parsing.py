"""JSON and forms from strangers: parsed strictly, bounded, and looked at without trusting any type.

Stricter than the standard library where it would guess: a key that stands twice, NaN and Infinity, numbers of more
than ``MAX_DIGITS`` digits, lone surrogates and nesting beyond ``MAX_DEPTH`` are refused, not interpreted.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NoReturn

from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code

MAX_BYTES = 1 << 20  # eight times what Function Compute takes in an asynchronous call
MAX_DEPTH = 32  # the deepest sample has 7
MAX_DIGITS = 40
MAX_FIELDS = 200  # of a form; the live alarm callback has 23
MAX_FORM = 1 << 17  # characters of a form; the live alarm callback has about 1,000

BYTE_ORDER_MARK = "\ufeff"

_FORM = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=")
_INFINITE = frozenset((float("inf"), float("-inf")))
_DIGITS_ALIKE = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(128)) + bytes(range(128, 256))
_LONG_NUMBER = b"0" * (MAX_DIGITS + 1)
_HEADER = re.compile(r"\s*content-type:[^\n]*\n\s*", re.IGNORECASE)
_ESCAPED_AMPERSAND = "\\u0026"


class UnreadableText(Exception):
    """An event, or a part of it, that has no one meaning; ``path`` and ``value`` name the culprit.

    ``code`` is that of the record: ``malformed``, ``contradiction`` or ``too_large``.
    """

    def __init__(self, code: Code, reason: str, path: str = "", value: object = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.path = path
        self.value = value


class Form(NamedTuple):
    """The fields of a form, so that it is not taken for a JSON object."""

    fields: dict[str, str]


def decode(event: bytes) -> str:
    """Return the text of an event, without a byte order mark. Raises Unreadable if it is too large or not UTF-8."""
    if len(event) > MAX_BYTES:
        raise UnreadableText("too_large", f"the event has {len(event)} bytes; at most {MAX_BYTES} are read")
    try:
        return event.decode().removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise UnreadableText("malformed", f"not UTF-8: {error.reason} at byte {error.start}") from None


def parse_json(text: str, path: str = "") -> object:
    """Parse JSON. Raises Unreadable, with the position, for what is not JSON or says two things at once."""
    if len(text) > MAX_BYTES:
        raise UnreadableText("too_large", f"the text has {len(text)} characters; at most {MAX_BYTES} are read", path)
    decoder = _COUNTING_DIGITS if _has_long_number(text) else _DECODER
    try:
        value: object = decoder.decode(text)
    except json.JSONDecodeError as error:
        # Some of json's messages end in the word themselves: "Unterminated string starting at".
        reason = f"not JSON: {error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}"
        # Only a part under a path is quoted: the whole event may be an HTTP request with a token in it.
        raise UnreadableText("malformed", reason, path, text if path else "") from None
    except RecursionError:
        raise UnreadableText("malformed", f"JSON nested deeper than {MAX_DEPTH} levels", path) from None
    except UnreadableText as error:
        error.path = error.path or path
        raise
    _bounded(value, path, check_strings=_may_hold_surrogates(text))
    return value


def looks_like_form(text: str) -> bool:
    """Return whether the text starts as ``name=value`` does, with or without a Content-Type line before it."""
    return _FORM.match(_body(text)) is not None


def parse_form(text: str, path: str = "") -> dict[str, str]:
    """Parse ``application/x-www-form-urlencoded``, percent-encoded or not. Raises Unreadable.

    Where no ``&`` stands in the text, its JSON escape as a log writes it separates the fields.
    """
    from urllib.parse import unquote_plus  # noqa: PLC0415 - only forms need it

    if len(text) > MAX_FORM:
        raise UnreadableText("too_large", f"the form has {len(text)} characters; at most {MAX_FORM} are read", path)
    body = _body(text).rstrip("\r\n")
    separator = _ESCAPED_AMPERSAND if "&" not in body and _ESCAPED_AMPERSAND in body else "&"
    parts = body.split(separator)
    if len(parts) > MAX_FIELDS:
        raise UnreadableText("too_large", f"the form has {len(parts)} fields; at most {MAX_FIELDS} are read", path)
    fields: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not part:
            continue
        if not equals:
            raise UnreadableText("malformed", "a part of the form has no '='", path, part)
        try:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise UnreadableText("malformed", "a field of the form is not UTF-8", path, name) from None
        if name in fields:
            raise UnreadableText("contradiction", "a field stands twice in the form", path + name, value)
        fields[name] = value
    return fields


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object as it is and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def stated(value: object) -> bool:
    """Return whether a field says anything: null, empty text and the text ``null`` of live callbacks do not."""
    return value is not None and value not in ("", "null")


def text(value: object) -> str:
    """Return a field that says something as text, otherwise nothing: for names and keys, never for decisions."""
    if isinstance(value, bool) or not stated(value):
        return ""
    return str(value) if isinstance(value, (str, int, float)) else ""


def embedded(value: object, path: str) -> object:
    """Return a value that may be JSON inside a string, parsed. Raises Unreadable if the string is not JSON."""
    return parse_json(value, path) if isinstance(value, str) and stated(value) else value


def _body(text: str) -> str:
    header = _HEADER.match(text)
    return text[header.end() :] if header else text.lstrip()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is None: false
        raise UnreadableText("contradiction", "a key stands twice in one JSON object", value=twice)
    return result


def _no_constant(name: str) -> NoReturn:
    raise UnreadableText("malformed", f"{name} is not JSON", value=name)


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise UnreadableText("malformed", f"a number has more than {MAX_DIGITS} digits", value=digits)
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
#: Calls Python for each number, which is slow: only for a text with a long row of digits in it.
_COUNTING_DIGITS = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole)


def _bounded(value: object, path: str, *, check_strings: bool) -> None:
    """Walk without recursion: how deep it is, that every string can be written and no number is infinite.

    The set of its types says what a list or an object holds; it is made without a step of Python for each member.
    """
    waiting: list[tuple[Collection[object], int]] = [([value], 0)]
    while waiting:
        children, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise UnreadableText("malformed", f"JSON nested deeper than {MAX_DEPTH} levels", path)
        types = set(map(type, children))
        if float in types and not _INFINITE.isdisjoint(child for child in children if isinstance(child, float)):
            raise UnreadableText("malformed", "a number is too large", path)
        if check_strings and str in types:
            _writable((child for child in children if isinstance(child, str)), path)
        if list in types:
            waiting.extend((child, depth + 1) for child in children if isinstance(child, list))
        if dict in types:
            for child in children:
                if isinstance(child, dict):
                    if check_strings:
                        _writable(child, path)
                    waiting.append((child.values(), depth + 1))


def _writable(strings: Iterable[str], path: str) -> None:
    for string in strings:
        try:
            string.encode()
        except UnicodeEncodeError:
            raise UnreadableText("malformed", "a string holds a lone surrogate", path, string) from None


def _may_hold_surrogates(text: str) -> bool:
    r"""Return whether a string of the text can hold a lone surrogate: an escape ``\ud…``, or a sign beyond ASCII."""
    return "\\ud" in text or "\\uD" in text or not text.isascii()


def _has_long_number(text: str) -> bool:
    """Return whether more than ``MAX_DIGITS`` digits follow each other: one pass over bytes with all digits alike."""
    return _LONG_NUMBER in text.encode(errors="surrogatepass").translate(_DIGITS_ALIKE)
