"""DingTalk's custom robot. HTTP 200 always; 20 messages a minute, and then ten minutes of nothing."""

import base64
import hmac
import json

from localcloud.chat.forms import json_of, text_at
from localcloud.chat.robots import Reply, Robot, RobotCall

A_MINUTE, BLOCKED_SECONDS = 20, 600.0
SKEW_MILLISECONDS = 3_600_000
MOST_BYTES = 20_000
PATH, TOKEN = "/robot/send", "access_token"


def unknown() -> Reply:
    """Answer a token that belongs to no robot."""
    return _no(300001, "token is not exist")


def too_fast() -> Reply:
    """Answer one message too many."""
    return _no(130101, "send too fast, exceed 20 times per minute")


def answer(robot: Robot, call: RobotCall) -> Reply:
    """Judge a message."""
    if robot.secret and (mistake := _signature_mistake(robot.secret, call)):
        return _no(310000, mistake)
    if call.now < robot.blocked_until:
        return too_fast()
    if robot.posts_within(60, call.now) > A_MINUTE:
        robot.blocked_until = call.now + BLOCKED_SECONDS
        return too_fast()
    return _of_content(robot, call)


def _of_content(robot: Robot, call: RobotCall) -> Reply:
    body = json_of(call)
    if isinstance(body, str) or len(call.body) > MOST_BYTES:
        return _no(40035, body if isinstance(body, str) else "the message is too long")
    title, text = text_at(body, "markdown", "title"), text_at(body, "markdown", "text")
    if text_at(body, "msgtype") != "markdown" or not title or not text:
        return _no(40035, "msgtype must be markdown, with title and text")
    if robot.keyword and robot.keyword not in text and robot.keyword not in title:
        return _no(310000, "keywords not in content")
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok"}), message={"title": title, "text": text})


def _signature_mistake(secret: str, call: RobotCall) -> str:
    timestamp, sign = call.query.get("timestamp", ""), call.query.get("sign", "")
    if not (timestamp.isascii() and timestamp.isdigit()):
        return "invalid timestamp"
    if abs(int(timestamp) - call.now * 1000) > SKEW_MILLISECONDS:
        return "invalid timestamp"
    wanted = base64.b64encode(hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")).decode()
    return "" if hmac.compare_digest(sign, wanted) else "sign not match"


def _no(code: int, text: str) -> Reply:
    return Reply(200, json.dumps({"errcode": code, "errmsg": text}), str(code))
