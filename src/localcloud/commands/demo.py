"""``ecs-reboot demo``: a night of a small fleet, told for a person.

Each event is one of ``events/`` with today's time in it, sent to the function as its trigger would send it. What is
printed is what the function answered, what the cloud's own audit saw, and where the record is.
"""

import json
import textwrap
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from localcloud.account import fleets
from localcloud.account.cloud import Cloud
from localcloud.account.fleets import BUSY, CALM, MEMBER
from localcloud.commands.deployed import Deployment, cloud_of
from localcloud.commands.project_function import project_function
from localcloud.commands.rendered_template import TEMPLATE, deployment
from localcloud.commands.story import say, tell, tell_audit
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.server.server import running
from sample_events import FOLDER

#: What the function is deployed with: the template's defaults, in every region, with the rights to finish what hangs. A
#: whole processor, since the source tree starts at a tenth of the package's speed.
PARAMETERS = {"EveryRegion": "true", "ForceReboot": "escalate", "Cpu": "1", "VerifySeconds": "30"}
SETTINGS = {"VERIFY_SECONDS": "30", "FORCE_REBOOT": "never"}
#: Where the function tells people: the robot that the local cloud has from the start.
ROBOT = "/_chat/dingtalk/robot/send?access_token=demo"
#: Cloud seconds a second: a reboot of 30 s takes 3.
TIME_SCALE = 10.0


class Step(NamedTuple):
    """One event of the story: what it is, the file it is made from, and how it is changed.

    ``settings``: what the function is set to for this event alone.
    """

    title: str
    file: str
    change: Callable[[str], str]
    settings: Mapping[str, str] = {}


def _as_it_is(text: str) -> str:
    return text


def _about_db_01(text: str) -> str:
    return text.replace("i-bp1a2b3c4d5e6f7g8h9i", "i-bp1dbdbdbdbdbdbdbdb1").replace("web-01", "db-01")


def _masked(text: str) -> str:
    return text.replace("i-bp1a2b3c4d5e6f7g8h9i", "i-bp1a2b3c4d****")


def _sweep(_: str) -> str:
    return json.dumps({"verify": True, "region_id": "cn-beijing"})


def _about_asg_01(text: str) -> str:
    there = text.replace("i-bp1a2b3c4d5e6f7g8h9i", MEMBER).replace("web-01", "asg-01")
    return there.replace("cn-hangzhou", "cn-shanghai")


def _about_api_01(text: str) -> str:
    there = text.replace("i-bp1a2b3c4d5e6f7g8h9i", CALM).replace("web-01", "api-01")
    return there.replace("cn-hangzhou", "cn-shenzhen")


def _about_api_02(text: str) -> str:
    return _about_api_01(text).replace(CALM, BUSY).replace("api-01", "api-02")


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
    Step(
        "the sweep finds that batch-01 hangs in Stopping since its reboot, and finishes it (FORCE_REBOOT=escalate)",
        "timer-by-tag.json",
        _sweep,
        {"FORCE_REBOOT": "escalate"},
    ),
    Step("an alarm for asg-01, which an Auto Scaling group owns", "alarm-firing.form.txt", _about_asg_01),
    Step(
        "the same alarm without that guard (MANAGED=allow): the group releases it with its disks",
        "alarm-firing.form.txt",
        _about_asg_01,
        {"MANAGED": "allow", "VERIFY_SECONDS": "5"},
    ),
    Step("an alarm for api-01, whose CPU is down again: its guest speaks", "alarm-firing.form.txt", _about_api_01),
    Step("an alarm for api-02, whose CPU is still above 95 %", "alarm-firing.form.txt", _about_api_02),
    Step("a person asks for web-02 and overrides that limit", "manual-by-id.json", _by_hand),
)


def main() -> int:
    """Play the story; return 0 where every event got an answer."""
    fleet = fleets.demo(datetime.now(timezone.utc)).model_copy(update={"time_scale": TIME_SCALE})
    # An installed wheel has no template: then the function is a bare one.
    deployed = deployment(fleet.account, PARAMETERS) if TEMPLATE.exists() else None
    cloud = cloud_of(fleet, deployed)
    names = {spec.instance_id: spec.instance_name for spec in cloud.declared.instances}
    with running(cloud, port=0) as server, _instance(cloud, server.url, deployed) as instance:
        say(f"A local cloud with {len(names)} instances; nothing leaves this machine.")
        records = told = 0
        for number, step in enumerate(STORY, 1):
            say(f"\n{number}. {step.title}")
            seen = len(cloud.audit.entries())
            event = _today(step.change((FOLDER / step.file).read_text("utf-8"))).encode()
            if step.settings:
                with _instance(cloud, server.url, deployed, step.settings) as other:
                    invocation = other.invoke(event)
            else:
                invocation = instance.invoke(event)
            answer = json.loads(invocation.payload)
            if invocation.error:
                say(f"   the function failed: {answer}")
                return 1
            tell(answer, names)
            tell_audit(cloud.audit.entries(seen), names)
            told = _chatted(server.admin, told)
            records += answer["log_store"]["written"]
        say(f"\n{records} records are in logstore {answer['log_store']['logstore']}. The last one says why:\n")
        say(_last_record(invocation.logs))
    say("\nTry your own: make -s invoke EVENT=events/manual-by-id.json    All settings: docs/operate/settings.md")
    return 0


def _instance(
    cloud: Cloud, url: str, deployed: Deployment | None, settings: Mapping[str, str] = {}
) -> FunctionInstance:
    given = {**SETTINGS, "NOTIFY": f"dingtalk={url}{ROBOT}", **settings}
    return FunctionInstance(project_function(cloud, url, given, deployed=deployed))


def _chatted(admin: str, told: int) -> int:
    """Print what came into the chat since the first ``told`` messages; return how many there are now."""
    with urllib.request.urlopen(f"{admin}/chat", timeout=10) as answer:  # noqa: S310 - our own server
        messages = json.load(answer)["messages"]
    for message in messages[told:]:
        say(f"   chat      {message['title']}")
    return len(messages)


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
