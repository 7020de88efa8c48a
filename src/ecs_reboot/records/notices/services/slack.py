"""Slack's incoming webhook: blocks, and an answer that is the word `ok` or an HTTP error."""

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.escaping import cut
from ecs_reboot.records.notices.notice import Channel, Failure, Message
from ecs_reboot.records.notices.services.post import http_failure, post, retry_after

#: A section may have 3000 characters.
MOST_BYTES = 2_900
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_TOO_MANY = 429


def request(message: Message, channel: Channel, unix_time: float) -> Request:  # noqa: ARG001 - nothing is signed
    """Return the POST. ``text`` is what a notification shows; the lines stand as plain text."""
    blocks: list[object] = [_section("mrkdwn", f"*{_escaped(message.title)}*")]
    if message.lines:
        blocks.append(_section("plain_text", cut("\n".join(message.lines), MOST_BYTES)))
    if message.link:
        blocks.append(_section("mrkdwn", f"<{message.link}|{_escaped(message.link_text)}>"))
    return post(channel.url, {"text": _escaped(message.title), "blocks": blocks})


def _section(kind: str, text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def failure(answer: Answer) -> Failure | None:
    """Read the answer: 200 with the text `ok` is success."""
    if answer.status == 200 and answer.body.strip() == b"ok":  # noqa: PLR2004 - OK
        return None
    return http_failure(answer, retry_after(answer) if answer.status == _TOO_MANY else 0.0)
