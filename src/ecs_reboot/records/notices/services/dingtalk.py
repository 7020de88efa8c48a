"""DingTalk's custom robot: Markdown, signed in the URL, HTTP 200 whatever came of it.

More than 20 messages a minute and the robot is blocked for ten minutes.
"""

import base64
import hmac

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.escaping import cut, inert
from ecs_reboot.records.notices.notice import Channel, Failure, Message
from ecs_reboot.records.notices.services.post import http_failure, post, refusal, verdict, with_query

#: Not documented where we could read it; what is longer is cut. Bytes.
MOST_BYTES = 4_000
TOO_FAST, BLOCKED_SECONDS = 130101, 600.0
_QUOTES = {"+": "%2B", "/": "%2F", "=": "%3D"}


def request(message: Message, channel: Channel, unix_time: float) -> Request:
    """Return the POST. The title is what a phone's lock screen shows."""
    parts = [f"### {inert(message.title)}", *(f"- {inert(line)}" for line in message.lines)]
    link = f"\n\n[{message.link_text}]({message.link})" if message.link else ""
    text = cut("\n".join(parts), MOST_BYTES - len(link.encode())) + link
    url = channel.url
    if channel.secret:
        url = with_query(url, signed(channel.secret, int(unix_time * 1000)))
    markdown = {"title": inert(message.title), "text": text}
    return post(url, {"msgtype": "markdown", "markdown": markdown, "at": {"isAtAll": False}})


def signed(secret: str, milliseconds: int) -> str:
    """Return the query parameters that sign a request: the key is the secret, the message time and secret."""
    digest = hmac.digest(secret.encode(), f"{milliseconds}\n{secret}".encode(), "sha256")
    sign = "".join(_QUOTES.get(mark, mark) for mark in base64.b64encode(digest).decode())
    return f"timestamp={milliseconds}&sign={sign}"


def failure(answer: Answer) -> Failure | None:
    """Read the answer: `errcode` 0 is success; a blocked robot may say `punish` beside another status."""
    body = verdict(answer)
    if answer.status == 200 and body.get("errcode") == 0:  # noqa: PLR2004 - OK
        return None
    if not body:
        return http_failure(answer)
    code = body.get("errcode", body.get("status", answer.status))
    blocked = code == TOO_FAST or "punish" in body
    text = body.get("errmsg") or body.get("wait") or body.get("punish")
    return refusal(code, text, BLOCKED_SECONDS if blocked else 0.0)
