"""Dimensions of a CloudMonitor metric: which instance it is of, and which device or process of the instance.

They come as an object, a list of objects, JSON in a string, or the text of a Java map (``{a=1, b=2}``), which quotes
nothing: a value may hold commas and equals signs. So such a text is split where a key that CloudMonitor is known to use
begins, or, behind a value that can't hold a comma, where any key begins.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

from ecs_reboot.events.finding import Field
from ecs_reboot.events.labels import identity
from ecs_reboot.events.parsing import UnreadableText, embedded, mapping, stated
from ecs_reboot.events.quoting import plain

INSTANCE = frozenset({"instanceid"})
REGION = frozenset({"regionid", "region"})
_NOT_IDENTITY = frozenset({"userid", "timestamp"})
#: Keys whose values hold no comma: an ID, a number, the name of a device.
_PLAIN_KEYS = INSTANCE | REGION | {"userid", "port", "pid", "gpuid", "groupid", "hostname", "ip", "state", "protocol"}
_KNOWN_KEYS = _PLAIN_KEYS | {
    "device",
    "diskname",
    "mountpoint",
    "name",
    "netname",
    "processname",
    "nameprefix",
    "command",
    "cmd",
    "user",
    "taskid",
    "clusterid",
    "nodeip",
}
_MAX_CHARACTERS = 16_384  # a command line in them may be long
_MAX_NAMES = 1000  # of all objects of a list together; an alarm has up to six
_PART = re.compile(r" *([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)


def read(value: object, path: str) -> object:
    """Return dimensions as an object or a list. Raises Unreadable where they can't be taken apart."""
    if isinstance(value, str) and stated(value.strip()):
        text = value.strip()
        looks_json = text.startswith(("[", '{"')) or text[1:].lstrip()[:1] in ('"', "}")
        value = embedded(text, path) if looks_json else _java_map(text, path)
    if stated(value) and not isinstance(value, (dict, list)) and str(value).strip():
        raise UnreadableText("malformed", "dimensions are neither a map nor a list of maps", path, value)
    names = sum(len(mapping(item)) for item in (value if isinstance(value, list) else [value]))
    if names > _MAX_NAMES:
        raise UnreadableText("too_large", f"the dimensions have {names} names; at most {_MAX_NAMES} are read", path)
    return value


def named(value: object, path: str) -> Iterator[Field]:
    """Pick the instance and region of an object, or of each object of a list."""
    items = enumerate(value) if isinstance(value, list) else ()
    for where, item in [(path, value), *((f"{path}[{number}]", item) for number, item in items)]:
        for key, entry in mapping(item).items():
            if key.casefold() in INSTANCE | REGION:
                yield Field(f"{where}.{key}", entry)


def same(value: object) -> str:
    """Return a text that is equal for equal dimensions, in whatever form and order they came; empty for none."""
    objects = value if isinstance(value, list) else [value]
    texts = [
        identity({key: plain(entry) for key, entry in mapping(item).items() if key.casefold() not in _NOT_IDENTITY})
        for item in objects
    ]
    return ";".join(sorted(text for text in texts if text))


def _java_map(text: str, path: str) -> dict[str, str]:
    """Take ``{a=1, b=2}`` apart. A brace that is missing may mean an ID that was cut: Unreadable."""
    if not (text.startswith("{") and text.endswith("}")):
        raise UnreadableText("malformed", "dimensions are not closed in braces, so they may be cut short", path, text)
    if len(text) > _MAX_CHARACTERS:
        reason = f"dimensions have {len(text)} characters; at most {_MAX_CHARACTERS} are read"
        raise UnreadableText("too_large", reason, path)
    result: dict[str, list[str]] = {}
    current = ""
    for part in text[1:-1].split(","):
        match = _PART.fullmatch(part)
        within = bool(current) and current.casefold() not in _PLAIN_KEYS
        if within and not (match and match[1].casefold() in _KNOWN_KEYS):
            result[current].append(part)
            continue
        if not match:
            _no_equals(path, text)
        current = match[1]
        if current in result:
            raise UnreadableText("contradiction", "a key stands twice in dimensions", f"{path}.{plain(current)}", text)
        result[current] = [match[2]]
    return {key: ",".join(parts) for key, parts in result.items()}


def _no_equals(path: str, text: str) -> NoReturn:
    raise UnreadableText("malformed", "a part of dimensions has no '='", path, text)
