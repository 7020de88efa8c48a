"""A local cloud with a fleet, the template deployed into it by the tools, and what happens to it."""

import json
import os
import urllib.request
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.models import Config as CredentialConfig

from cli.program import main
from localcloud.ros.account import RosAccount
from localcloud.server.server import Running
from stack.clients import Clients

ROOT = Path(__file__).resolve().parents[2]
OPTED_IN = tuple(f"i-bp1a2b3c4d5e6f7g8h9{letter}" for letter in "abcdefghij")
NOT_OPTED_IN = "i-bp1z9y8x7w6v5u4t3s2r"
TOKEN = "a-token-of-the-tests-0123456789"
PARAMETERS = {
    "ActionableEvents": "Instance:SystemFailure.Reboot:Failed,Disk:Stalled:Executing",
    "WebhookToken": TOKEN,
    "ScheduleCron": "0 0 4 * * *",
    "ScheduleRequest": json.dumps({"instance_ids": [OPTED_IN[3]], "reason": "scheduled"}),
    "SweepCron": "@every 5m",
    "StateEvents": "true",
    "MaxReboots": "off",
    "VerifySeconds": "0",
    "ClaimSettleSeconds": "0",
    "WindowTriggers": "",
}
PROJECT = "ecs-reboot-1234567890123456-cn-hangzhou"


def source_package(path: Path) -> Path:
    """Write a package of the function's source alone; what it needs beside itself is the interpreter's."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.py", "from ecs_reboot.handler import handle, initialize\n")
        for module in sorted((ROOT / "src" / "ecs_reboot").rglob("*.py")):
            archive.write(module, module.relative_to(ROOT / "src"))
    return path


def light_package(path: Path) -> Path:
    """Write a package that only leads to the function that tests run (CODE): small in each template, quick to start.

    The service would not find that. What is sent and unpacked as it is deployed is a matter of ``source_package``.
    """
    code = str(Path(os.environ["CODE"]).resolve())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = "import sys", f"sys.path.insert(1, {code!r})", "from ecs_reboot.handler import handle, initialize"
        archive.writestr("index.py", "\n".join(lines) + "\n")
    return path


def deploy(whole: Running, package: Path, **parameters: str) -> int:
    given = " ".join(f"{name}='{value}'" for name, value in {**PARAMETERS, **parameters}.items())
    return run(whole, "deploy", "--package", str(package), "--params", given)


def system_event(name: str) -> dict[str, object]:
    return {
        "id": f"event-of-{name.translate({ord('.'): '-', ord(':'): '-'})}",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": f"ecs:{name}",
        "subject": f"acs:ecs:cn-hangzhou:1234567890123456:instance/{OPTED_IN[0]}",
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {"eventId": "e-1", "eventStatus": "Failed", "instanceId": OPTED_IN[0]},
    }


def by_eventbridge(account: RosAccount, _url: str) -> str:
    assert account.bus.put_events([system_event("Instance:SystemFailure.Reboot")]) == 1
    return OPTED_IN[0]


def alarm(rule: str) -> str:
    """Return what CloudMonitor sends for the second opted-in instance."""
    return json.dumps(
        {
            "ruleId": rule,
            "alertName": "cpu-high",
            "alertState": "ALERT",
            "curLevel": "CRITICAL",
            "namespace": "acs_ecs_dashboard",
            "metricName": "CPUUtilization",
            "regionId": "cn-hangzhou",
            "dimensions": f"{{instanceId={OPTED_IN[1]}, userId=1234567890123456}}",
            "timestamp": int(datetime.now(timezone.utc).timestamp() * 1000),
        }
    )


def by_topic(account: RosAccount, _url: str) -> str:
    assert account.messages.publish("ecs-reboot-alarms", alarm("rule-1")) == 1
    return OPTED_IN[1]


def by_http(_account: RosAccount, url: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}_alarm?token={TOKEN}",
        data=json.dumps({"instance_ids": [OPTED_IN[2]], "region_id": "cn-hangzhou"}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert (answer.status, json.load(answer)["status"]) == (202, "handed_over")
    return OPTED_IN[2]


def by_timer(account: RosAccount, _url: str) -> str:
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    due = account.timers.due()
    assert due is not None
    assert account.timers.tick(tomorrow) == 2  # the schedule, and the sweep that finds nothing to do
    return OPTED_IN[3]


def records(whole: Running) -> list[dict[str, str]]:
    return [entry.fields for entry in whole.account.stores.logstore(PROJECT, "ecs-reboot-records")]


def clients(whole: Running) -> Clients:
    """Clients with the account's own key: the usual chain reads its variables when it is imported, not when asked."""
    root = whole.cloud.credentials.root
    own = CredentialConfig(
        type="access_key", access_key_id=root.access_key_id, access_key_secret=root.access_key_secret
    )
    return Clients("cn-hangzhou", whole.url, CredentialChain(own))


def run(whole: Running, verb: str, *arguments: str) -> int:
    """Run a verb of the tools on the local cloud."""
    return main([verb, "--endpoint", whole.url, *arguments], clients(whole))


def idle(whole: Running) -> None:
    """Wait until every asynchronous call is over."""
    assert whole.account.functions.wait_until_idle(30)


def logged(whole: Running) -> list[str]:
    """What the function printed so far, line by line."""
    project = whole.account.functions.find("ecs-reboot").function.log_project
    return [entry.fields["message"] for entry in whole.account.stores.logstore(project, "ecs-reboot-function")]
