"""WeCom's group robot: Markdown of at most 4096 bytes, known by its key alone, HTTP 200 whatever came of it."""

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.escaping import cut, inert
from ecs_reboot.records.notices.notice import Channel, Failure, Kind, Message
from ecs_reboot.records.notices.services.post import http_failure, post, refusal, verdict

MOST_BYTES = 4_096
TOO_FAST, WAIT_SECONDS = 45009, 60.0
COLOURS: dict[Kind, str] = {
    "digest": "comment",
    "observed": "comment",
    "rebooting": "comment",
    "came_back": "info",
    "not_back": "warning",
    "needs_you": "warning",
    "late": "comment",
}


def request(message: Message, channel: Channel, unix_time: float) -> Request:  # noqa: ARG001 - nothing is signed
    """Return the POST."""
    title = f'**<font color="{COLOURS[message.kind]}">{inert(message.title)}</font>**'
    lines = "".join(f"\n> {inert(line)}" for line in message.lines)
    link = f"\n[{message.link_text}]({message.link})" if message.link else ""
    content = title + cut(lines, MOST_BYTES - len((title + link).encode())) + link
    return post(channel.url, {"msgtype": "markdown", "markdown": {"content": content}})


def failure(answer: Answer) -> Failure | None:
    """Read the answer: `errcode` 0 is success."""
    body = verdict(answer)
    code = body.get("errcode")
    if code is None:
        return http_failure(answer)
    if code == 0:
        return None
    return refusal(code, body.get("errmsg"), WAIT_SECONDS if code == TOO_FAST else 0.0)
