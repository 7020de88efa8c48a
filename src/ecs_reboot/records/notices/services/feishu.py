"""Feishu's (Lark's) custom bot: a card, signed in the body, HTTP 200 whatever came of it."""

import base64
import hmac

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.escaping import cut
from ecs_reboot.records.notices.notice import Channel, Failure, Kind, Message
from ecs_reboot.records.notices.services.post import http_failure, post, refusal, verdict

#: The whole body may have 20 KB.
MOST_BYTES = 12_000
TOO_FAST, WAIT_SECONDS = 11232, 60.0
COLOURS: dict[Kind, str] = {
    "digest": "grey",
    "observed": "turquoise",
    "rebooting": "blue",
    "came_back": "green",
    "not_back": "red",
    "needs_you": "orange",
    "late": "grey",
}


def request(message: Message, channel: Channel, unix_time: float) -> Request:
    """Return the POST. All text is `plain_text`, in which nothing is a mention or a link."""
    lines = cut("\n".join(message.lines), MOST_BYTES)
    elements: list[object] = [{"tag": "div", "text": {"tag": "plain_text", "content": lines}}] if lines else []
    if message.link:
        label = {"tag": "plain_text", "content": message.link_text}
        elements.append({"tag": "action", "actions": [{"tag": "button", "text": label, "url": message.link}]})
    title = {"tag": "plain_text", "content": message.title}
    card = {"header": {"title": title, "template": COLOURS[message.kind]}, "elements": elements}
    proof = signed(channel.secret, int(unix_time)) if channel.secret else {}
    return post(channel.url, {**proof, "msg_type": "interactive", "card": card})


def signed(secret: str, seconds: int) -> dict[str, str]:
    """Return the fields that sign a request: the key is time and secret, the message is empty."""
    digest = hmac.digest(f"{seconds}\n{secret}".encode(), b"", "sha256")
    return {"timestamp": str(seconds), "sign": base64.b64encode(digest).decode()}


def failure(answer: Answer) -> Failure | None:
    """Read the answer: `code` 0 is success, in older answers `StatusCode` 0."""
    body = verdict(answer)
    code = body.get("code", body.get("StatusCode"))
    if code is None:
        return http_failure(answer)
    if code == 0:
        return None
    return refusal(code, body.get("msg", body.get("StatusMessage")), WAIT_SECONDS if code == TOO_FAST else 0.0)
