"""A receiver of one's own: takes CloudEvents 1.0 in structured mode."""

import json

from localcloud.chat.robots import Reply, Robot, RobotCall

_REQUIRED = ("id", "source", "type", "specversion")
PATH, TOKEN = "/{receiver:path}", "receiver"


def unknown() -> Reply:
    """Answer a path where nobody receives."""
    return Reply(404, "nobody here", "404")


def too_fast() -> Reply:
    """Answer one event too many."""
    return Reply(429, "later", "429", headers={"retry-after": "10"})


def answer(robot: Robot, call: RobotCall) -> Reply:
    """Judge an event."""
    if robot.secret and call.headers.get("authorization") != f"Bearer {robot.secret}":
        return Reply(401, "who are you?", "401")
    if call.headers.get("content-type", "").partition(";")[0] != "application/cloudevents+json":
        return Reply(415, "send application/cloudevents+json", "415")
    try:
        event = json.loads(call.body)
    except ValueError:
        return Reply(400, "no JSON", "400")
    if not isinstance(event, dict) or not all(isinstance(event.get(name), str) and event[name] for name in _REQUIRED):
        return Reply(400, f"an event has {', '.join(_REQUIRED)}", "400")
    data = event.get("data")
    if event["specversion"] != "1.0" or not isinstance(data, dict):
        return Reply(400, "specversion 1.0 with data is known here", "400")
    lines = data.get("lines", [])
    text = "\n".join(str(line) for line in lines) if isinstance(lines, list) else ""
    shown = {"title": str(data.get("title", "")), "text": text, "link": str(data.get("link", "")), "event": event}
    return Reply(202, "", message=shown)
