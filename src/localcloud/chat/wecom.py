"""WeCom's group robot, known by its key. HTTP 200 always; 20 messages a minute; Markdown of 4096 bytes."""

import json

from localcloud.chat.forms import json_of, text_at
from localcloud.chat.robots import Reply, Robot, RobotCall

A_MINUTE = 20
MOST_BYTES = 4_096
PATH, TOKEN = "/cgi-bin/webhook/send", "key"


def unknown() -> Reply:
    """Answer a key that belongs to no robot."""
    return _no(93000, "invalid webhook url")


def too_fast() -> Reply:
    """Answer one message too many."""
    return _no(45009, "api freq out of limit")


def answer(robot: Robot, call: RobotCall) -> Reply:
    """Judge a message."""
    if robot.posts_within(60, call.now) > A_MINUTE:
        return too_fast()
    body = json_of(call)
    if isinstance(body, str):
        return _no(40008, f"invalid message type: {body}")
    content = text_at(body, "markdown", "content")
    if text_at(body, "msgtype") != "markdown" or not content:
        return _no(40008, "invalid message type: markdown with content is known here")
    if len(content.encode()) > MOST_BYTES:
        return _no(40058, f"markdown.content exceed max length {MOST_BYTES}")
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok"}), message={"title": "", "text": content})


def _no(code: int, text: str) -> Reply:
    return Reply(200, json.dumps({"errcode": code, "errmsg": text}), str(code))
