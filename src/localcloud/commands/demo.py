"""``python -m localcloud demo``: a night of a small fleet, told for a person.

Each event is one of ``events/`` with today's time in it, sent to the function as its trigger would send it. What is
printed is what the function answered, what the cloud's own audit saw, and where the record is.
"""

import argparse
import json
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.commands.project_function import project_function
from localcloud.functioncompute.instance import Instance
from localcloud.server.server import running
from terminal.printable import write_line

EVENTS = Path(__file__).resolve().parents[3] / "events"
SETTINGS = {"VERIFY_SECONDS": "30"}
#: Where the function tells people: the robot that the local cloud has from the start.
ROBOT = "/_chat/dingtalk/robot/send?access_token=demo"
#: Cloud seconds a second: a reboot of 30 s takes 3.
TIME_SCALE = 10.0
WIDTH = 110


class Step(NamedTuple):
    """One event of the story: what it is, the file it is made from, and how it is changed."""

    title: str
    file: str
    change: Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def _about_db_01(text: str) -> str:
    return text.replace("i-bp1a2b3c4d5e6f7g8h9i", "i-bp1dbdbdbdbdbdbdbdb1").replace("web-01", "db-01")


def _masked(text: str) -> str:
    return text.replace("i-bp1a2b3c4d5e6f7g8h9i", "i-bp1a2b3c4d****")


def _by_hand(_: str) -> str:
    request = {
        "instance_ids": ["i-bp1z9y8x7w6v5u4t3s2r"],
        "region_id": "cn-hangzhou",
        "reason": "agreed with the owner on the phone",
        "override": ["blast_radius"],
    }
    return json.dumps(request)


STORY = (
    Step("CloudMonitor: CPU of web-01 is above 95 %", "alarm-firing.form.txt", _as_it_is),
    Step("the same alarm is delivered once more", "alarm-firing.form.txt", _as_it_is),
    Step("CloudMonitor: the alarm has recovered", "alarm-recovered.form.txt", _as_it_is),
    Step("an alarm for db-01, which is locked for security", "alarm-firing.form.txt", _about_db_01),
    Step("an alarm whose instance ID is masked", "alarm-firing.form.txt", _masked),
    Step("the nightly timer asks for all instances tagged app=web", "timer-by-tag.json", _as_it_is),
    Step("a person asks for web-02 and overrides that limit", "manual-by-id.json", _by_hand),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the story; return 0 where every event got an answer."""
    argparse.ArgumentParser(prog="python -m localcloud demo", description=__doc__).parse_args(arguments)
    cloud = Cloud.from_fleet(fleet.default(), time_scale=TIME_SCALE)
    names = {spec.instance_id: spec.instance_name for spec in cloud.declared.instances}
    with running(cloud, port=0) as server, _instance(cloud, server.url) as instance:
        _say(f"A local cloud with {len(names)} instances; nothing leaves this machine.")
        records = told = 0
        for number, step in enumerate(STORY, 1):
            _say(f"\n{number}. {step.title}")
            seen = len(cloud.audit.entries())
            invocation = instance.invoke(_today(step.change((EVENTS / step.file).read_text("utf-8"))).encode())
            answer = json.loads(invocation.payload)
            if invocation.error:
                _say(f"   the function failed: {answer}")
                return 1
            _tell(answer, names)
            _audited(cloud.audit.entries(seen), names)
            told = _chatted(server.admin, told)
            records += answer["log_store"]["written"]
        _say(f"\n{records} records are in logstore {answer['log_store']['logstore']}. The last one says why:\n")
        _say(_last_record(invocation.logs))
    _say("\nTry your own: make -s invoke EVENT=events/manual-by-id.json    All settings: docs/settings.md")
    return 0


def _instance(cloud: Cloud, url: str) -> Instance:
    return Instance(project_function(cloud, url, {**SETTINGS, "NOTIFY": f"dingtalk={url}{ROBOT}"}))


def _chatted(admin: str, told: int) -> int:
    """Print what came into the chat since the first ``told`` messages; return how many there are now."""
    with urllib.request.urlopen(f"{admin}/chat", timeout=10) as answer:  # noqa: S310 - our own server
        messages = json.load(answer)["messages"]
    for message in messages[told:]:
        _say(f"   chat      {message['title']}")
    return len(messages)


def _tell(answer: dict[str, Any], names: dict[str, str]) -> None:
    _say(f"   event     {answer['trigger']} -> {answer['status']}")
    for result in answer["results"]:
        who = names.get(result["instance_id"], result["instance_id"] or "-")
        _say(f"   {result['action']:8}  {who}: {result['code']}")
        _say(textwrap.fill(result["reason"], WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13))


def _audited(entries: Sequence[dict[str, Any]], names: dict[str, str]) -> None:
    calls: dict[str, int] = {}
    for entry in entries:
        if entry["kind"] == "api" and entry["service"] != "chat":
            calls[entry["action"]] = calls.get(entry["action"], 0) + 1
    if calls:
        _say(
            "   ECS, SLS  "
            + ", ".join(f"{action} x{count}" if count > 1 else action for action, count in calls.items())
        )
    changes: dict[str, list[str]] = {}
    for entry in entries:
        if entry["kind"] == "state":
            changes.setdefault(entry["instance_id"], [entry["from"]]).append(entry["to"])
    for instance_id, states in changes.items():
        _say(f"   state     {names[instance_id]}: {' -> '.join(states)}")


def _last_record(logs: bytes) -> str:
    lines = [line for line in logs.decode().splitlines() if line.startswith('{"schema"')]
    record = [record for record in map(json.loads, lines) if record["record"] == "result"][-1]
    shown = (
        "record",
        "time",
        "request_id",
        "trigger",
        "instance_id",
        "action",
        "code",
        "attempt",
        "downtime_seconds",
        "reason",
        "evidence",
    )
    return textwrap.indent(json.dumps({key: record[key] for key in shown}, indent=2), "   ")


def _today(text: str) -> str:
    """Put the present into an event that says it happened on 2024-06-01."""
    now = time.time()
    iso = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        text.replace("timestamp=1717213140000", f"timestamp={now * 1000:.0f}")
        .replace("timestamp=1717213560000", f"timestamp={now * 1000:.0f}")
        .replace("2024-06-01T03:39:00Z", iso)
    )


def _say(text: str) -> None:
    write_line(text)
    sys.stdout.flush()
