"""The log service's wire form of log lines: a LogGroup in protocol buffers.

LogGroup: 1 Logs, 3 Topic, 4 Source. Log: 1 Time (Unix seconds), 2 Contents. Content: 1 Key, 2 Value, both text.
"""

from collections.abc import Iterable, Mapping


def encode(lines: Iterable[Mapping[str, str]], *, time: int, topic: str, source: str) -> bytes:
    """Encode the lines; ``time`` in Unix seconds is the same for all of them."""
    group = b"".join(_field(1, _log(line, time)) for line in lines)
    return group + _field(3, topic.encode()) + _field(4, source.encode())


def _log(line: Mapping[str, str], time: int) -> bytes:
    contents = (_field(1, key.encode()) + _field(2, _text(value)) for key, value in line.items())
    return b"\x08" + _varint(time) + b"".join(_field(2, content) for content in contents)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "backslashreplace")


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
