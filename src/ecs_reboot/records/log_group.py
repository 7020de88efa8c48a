"""The log service's wire form of log lines: a LogGroup in protocol buffers.

LogGroup: 1 Logs, 3 Topic, 4 Source. Log: 1 Time (Unix seconds), 2 Contents. Content: 1 Key, 2 Value, both text.
"""

from collections.abc import Iterable, Mapping

from ecs_reboot.cloud.protobuf import field


def encode(lines: Iterable[Mapping[str, str]], *, time: int, topic: str, source: str) -> bytes:
    """Encode the lines; ``time`` in Unix seconds is the same for all of them."""
    group = b"".join(field(1, _log(line, time)) for line in lines)
    return group + field(3, topic.encode()) + field(4, source.encode())


def _log(line: Mapping[str, str], time: int) -> bytes:
    contents = (field(1, key.encode()) + field(2, _text(value)) for key, value in line.items())
    return field(1, time) + b"".join(field(2, content) for content in contents)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "backslashreplace")
