"""Slack's incoming webhook: the word `ok`, or an HTTP error; one message a second, with short bursts."""

from localcloud.chat.forms import json_of, text_at
from localcloud.chat.robots import Reply, Robot, RobotCall

A_MINUTE = 60
MOST_SECTION, MOST_BLOCKS = 3_000, 50
PATH, TOKEN = "/services/{team}/{app}/{token}", "token"


def unknown() -> Reply:
    """Answer an address that belongs to no webhook."""
    return _no(404, "no_service")


def too_fast() -> Reply:
    """Answer one message too many."""
    return Reply(429, "rate_limited", "rate_limited", headers={"retry-after": "30"})


def answer(robot: Robot, call: RobotCall) -> Reply:
    """Judge a message."""
    if robot.posts_within(60, call.now) > A_MINUTE:
        return too_fast()
    body = json_of(call)
    if isinstance(body, str) or not text_at(body, "text"):
        return _no(400, "invalid_payload")
    blocks = body.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS:
        return _no(400, "invalid_blocks")
    texts = [text_at(block, "text", "text") for block in blocks]
    if not all(0 < len(text) <= MOST_SECTION for text in texts):
        return _no(400, "invalid_blocks")
    return Reply(200, "ok", message={"title": body["text"], "text": "\n".join(texts[1:])})


def _no(status: int, text: str) -> Reply:
    return Reply(status, text, text)
