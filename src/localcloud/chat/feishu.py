"""Feishu's custom bot. HTTP 200 always; 100 messages a minute (its 5 a second are not played)."""

import base64
import hmac
import json
from typing import Any

from localcloud.chat.forms import json_of, text_at
from localcloud.chat.robots import Reply, Robot, RobotCall

A_MINUTE = 100
SKEW_SECONDS = 3_600
MOST_BYTES = 20 * 1024
PATH, TOKEN = "/open-apis/bot/v2/hook/{token}", "token"


def unknown() -> Reply:
    """Answer a token that belongs to no robot."""
    return _no(19001, "param invalid: incoming webhook access token invalid")


def too_fast() -> Reply:
    """Answer one message too many."""
    return _no(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")


def answer(robot: Robot, call: RobotCall) -> Reply:
    """Judge a message."""
    body = json_of(call)
    if isinstance(body, str) or len(call.body) > MOST_BYTES:
        return _no(9499, f"Bad Request: {body if isinstance(body, str) else 'the body is longer than 20 KB'}")
    if robot.secret and not _signed(robot.secret, body, call.now):
        return _no(19021, "sign match fail or timestamp is not within one hour from current time")
    if robot.posts_within(60, call.now) > A_MINUTE:
        return too_fast()
    title = text_at(body, "card", "header", "title", "content")
    if text_at(body, "msg_type") != "interactive" or not title:
        return _no(9499, "Bad Request: msg_type must be interactive, with a card and its header")
    elements = body["card"].get("elements")
    texts = [text_at(element, "text", "content") for element in elements] if isinstance(elements, list) else []
    link = next((url for element in elements or [] if (url := text_at(element, "actions", 0, "url"))), "")
    text = "\n".join(part for part in texts if part)
    if robot.keyword and robot.keyword not in title + text:
        return _no(19024, "Key Words Not Found")
    return Reply(
        200,
        json.dumps({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}),
        message={"title": title, "text": text, "link": link},
    )


def _signed(secret: str, body: dict[str, Any], now: float) -> bool:
    timestamp, sign = str(body.get("timestamp", "")), str(body.get("sign", ""))
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(int(timestamp) - now) > SKEW_SECONDS:
        return False
    wanted = base64.b64encode(hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")).decode()
    return hmac.compare_digest(sign, wanted)


def _no(code: int, text: str) -> Reply:
    return Reply(200, json.dumps({"code": code, "data": {}, "msg": text}), str(code))
