"""Taking the answers of other APIs apart: what does not have the documented shape is no answer."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from ecs_reboot.cloud.ecs_api import Question
from ecs_reboot.cloud.errors import NoAnswer

Body = Mapping[str, Any]
#: Yields questions that may go out together, is sent their answers in the same order, and returns one value for each
#: instance ID of which something is known. Raises NoAnswer for an answer that it can't take apart.
Inquiry = Generator[Sequence[Question], Sequence[Body], Mapping[str, Any]]


def rows(action: str, body: Body, *path: str) -> list[Body]:
    """Return the list of objects at ``path``. Raises NoAnswer where it is not there."""
    found: Any = body
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise NoAnswer(action, f"the answer has no {'.'.join(path)}")
    return found


def text(row: Body, *path: str) -> str:
    """Return the text at ``path``, '' where there is none; a number or a truth value as text."""
    found: Any = row
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return "" if found is None or isinstance(found, (dict, list)) else str(found)


def whole(row: Body, name: str) -> int:
    """Return a whole number that may stand there as text, 0 where there is none."""
    found = text(row, name)
    return int(found) if found.isascii() and found.isdigit() else 0
