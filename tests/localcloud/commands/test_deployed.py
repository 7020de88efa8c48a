"""DEPLOYED=1: the function with what the template gives it, on the local cloud."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cloud_languages.template.parameters import WrongParameters
from localcloud.account import fleet
from localcloud.commands.deployed import cloud_of
from localcloud.commands.project_function import project_function
from localcloud.commands.rendered_template import deployment
from localcloud.functioncompute import processor_share

ROOT = Path(__file__).resolve().parents[3]
WEB_01 = "i-bp1a2b3c4d5e6f7g8h9i"
ACCOUNT = "1000000000000007"


def invoke(tmp_path: Path, event: str, settings: str, **environment: str) -> tuple[dict[str, Any], list[Any], str]:
    """Run the command as ``make invoke`` does; returns answer, audit and what it wrote beside."""
    audit = tmp_path / "audit"
    command = [sys.executable, "-m", "cli", "invoke", "--event", str(ROOT / "events" / event)]
    done = subprocess.run(
        [*command, "--audit", str(audit), "--set", settings],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), [json.loads(line) for line in audit.read_text().splitlines()], done.stderr


def rebooted(audit: list[Any]) -> list[str]:
    return [entry["instance_id"] for entry in audit if entry["kind"] == "state" and entry["from"] == "Running"]


OPEN = "WEBHOOK_TOKEN=demo-token MAX_EVENT_AGE_SECONDS=0 VERIFY_SECONDS=0"


def test_an_http_event_ends_when_the_run_that_it_asked_for_has_ended(tmp_path: Path) -> None:
    answer, audit, told = invoke(tmp_path, "http-alarm-firing.json", OPEN, DEPLOYED="1")
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["status"]) == (202, "handed_over")
    assert rebooted(audit) == [WEB_01]
    assert [entry["type"] for entry in audit if entry["kind"] == "invocation"] == ["Async"]
    calls = [entry for entry in audit if entry["kind"] == "api"]
    assert {call["identity"] for call in calls} == {"role:ecs-reboot-cn-hangzhou"}
    assert all(call["http_status"] in (200, 202) for call in calls)
    assert f'"handed_over_by":"{body["request_id"]}"' in told
    assert "as deployed, 0.35 vCPU (" in told


def test_a_bare_checkout_carries_it_out_in_the_same_call(tmp_path: Path) -> None:
    answer, audit, told = invoke(tmp_path, "http-alarm-firing.json", OPEN)
    assert json.loads(answer["body"])["status"] in ("completed", "failed")  # failed: this machine took too long
    assert not [entry for entry in audit if entry.get("service") == "fc"]
    assert "as deployed" not in told


def test_evidence_lies_in_the_bucket_of_the_template_under_its_role(tmp_path: Path) -> None:
    _, audit, told = invoke(
        tmp_path, "http-alarm-firing.json", OPEN, DEPLOYED="1", PARAMS="Evidence=full EvidenceDays=7"
    )
    assert rebooted(audit) == [WEB_01]
    records = [json.loads(line) for line in told.splitlines() if line.startswith('{"schema"')]
    (result,) = [record for record in records if record["record"] == "result"]
    taken = [(exhibit["name"], exhibit["error"]) for exhibit in result["exhibits"]]
    assert taken == [("console", ""), ("screen", ""), ("state", "")]
    stored = [entry for entry in audit if entry.get("action") == "PutObject"]
    assert {call["identity"] for call in stored} == {"role:ecs-reboot-cn-hangzhou"}
    assert {call["parameters"]["object"] for call in stored} == {exhibit["key"] for exhibit in result["exhibits"]}
    assert {call["parameters"]["bucket"] for call in stored} == {"ecs-reboot-1234567890123456-cn-hangzhou"}


def test_the_deployment_is_what_the_template_renders() -> None:
    made = deployment(ACCOUNT, {})
    assert (made.timeout, made.memory_mb, made.cpu, made.reserved) == (300, 512, 0.35, 10)
    assert made.environment["HANDOVER"] == "on"
    assert made.environment["LOGSTORE"] in made.logstores
    assert not [value for value in made.environment.values() if "<" in value]
    other = deployment(ACCOUNT, {"Timeout": "60", "Cpu": "0.5", "MaxRetries": "3"})
    assert (other.timeout, other.cpu, other.async_config.max_async_retry_attempts) == (60, 0.5, 3)
    with pytest.raises(WrongParameters, match="Timeuot"):
        deployment(ACCOUNT, {"Timeuot": "60"})


def test_settings_that_are_given_go_before_those_of_the_template() -> None:
    spec = fleet.default()
    made = deployment(spec.account, {})
    function = project_function(cloud_of(spec, made), "http://127.0.0.1:1", {"VERIFY_SECONDS": "7"}, deployed=made)
    assert function.environment["VERIFY_SECONDS"] == "7"
    assert function.environment["CLAIM_SETTLE_SECONDS"] == made.environment["CLAIM_SETTLE_SECONDS"]
    assert function.environment["HANDOVER_ENDPOINT"] == "http://127.0.0.1:1"
    assert (function.timeout, function.cpu) == (300, 0.35)


def test_what_waits_stays_and_what_computes_takes_longer() -> None:
    assert processor_share.stretched(2.0, 0.0, 0.25) == 2.0
    assert processor_share.stretched(2.0, 0.5, 0.25) == 3.5
    assert processor_share.stretched(2.0, 0.5, 1.0) == 2.0


def test_a_group_holds_a_process_to_its_share() -> None:
    group = processor_share.quota(0.2)
    if group is None:
        pytest.skip("this system lets nobody make a control group")
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert group.add(process.pid)
        began, used = time.monotonic(), processor_share.used(process.pid)
        time.sleep(1.5)
        took, used = time.monotonic() - began, processor_share.used(process.pid) - used
    finally:
        process.kill()
        process.wait()
        group.close()
    assert 0 < used < 0.4 * took


def test_a_whole_processor_needs_no_group() -> None:
    assert processor_share.quota(1.0) is None
