"""Text for a chat. What an event or an instance's name brought along must stay text: no link, no mention, no markup."""

import json
import unicodedata

_MARKUP = str.maketrans({"<": "＜", ">": "＞", "`": "'", "[": "［", "]": "］", "@": "＠", "*": "＊"})


def one_line(text: str, most: int) -> str:
    """Return the text without control characters and line ends, cut to the given number of characters."""
    clean = " ".join("".join(" " if unicodedata.category(mark)[0] in "CZ" else mark for mark in text).split())
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def inert(text: str) -> str:
    """Return the text so that no chat's Markdown makes a link, a mention or a tag of it."""
    return text.translate(_MARKUP).replace("://", ": //")


def cut(text: str, most_bytes: int) -> str:
    """Return the text cut to a number of UTF-8 bytes, never inside a character."""
    encoded = text.encode()
    return text if len(encoded) <= most_bytes else encoded[: most_bytes - 3].decode(errors="ignore") + "…"


def body(value: object) -> bytes:
    """Return the JSON of a request's body. Half a surrogate pair from somebody's JSON becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
