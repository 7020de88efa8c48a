"""A reboot loads what it uses: of facts, ledgers, notices and evidence that are off there is nothing in the process."""

import json
import subprocess
import sys
import time

import pytest
from staging import Staged, instances

from localcloud.functioncompute.function import process_environment

ONE = "i-bp1test0000000000000"
OFF = {
    "MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off", "BUSY_SECONDS": "0", "LEDGER": "tags",
    "EVIDENCE": "off", "NOTIFY": "", "VERIFY_SECONDS": "0", "CLAIM_SETTLE_SECONDS": "0",
}  # fmt: skip
ON = {
    "MANAGED": "refuse", "PLATFORM_EVENTS": "refuse", "RESPONSIVE": "any", "RESPONSIVE_TRIGGERS": "alarm",
    "BUSY_SECONDS": "60", "LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger",
    "EVIDENCE": "full", "NOTIFY": "slack=http://127.0.0.1:9/x", "VERIFY_SECONDS": "0",
}  # fmt: skip
#: Loaded for one of these alone, by the prefixes of their names.
OPTIONAL = (
    "ecs_reboot.facts.scaling", "ecs_reboot.facts.system_events", "ecs_reboot.facts.agent", "ecs_reboot.facts.health",
    "ecs_reboot.facts.snapshots", "ecs_reboot.ledger.table_ledger", "ecs_reboot.cloud.tablestore.client",
    "ecs_reboot.records.notices", "ecs_reboot.evidence.taking", "ecs_reboot.cloud.oss",
)  # fmt: skip
NEVER = ("ecs_reboot.remediation.finish", "ecs_reboot.remediation.ledger_commands", "ecs_reboot.ledger.observing_ecs")
_HANDLED = """
import json, sys, types
from ecs_reboot import handler
context = types.SimpleNamespace(request_id="r", region="cn-hangzhou", function=types.SimpleNamespace(timeout=60))
answer = handler.handle(sys.argv[1].encode(), context)
print(json.dumps([answer["results"][0]["code"], sorted(sys.modules)]))
"""


@pytest.mark.parametrize(("settings", "loaded"), [(OFF, False), (ON, True)], ids=["off", "on"])
def test_what_is_off_is_not_loaded(stage: Staged, settings: dict[str, str], *, loaded: bool) -> None:
    here = stage(instances(1), **settings)
    function = here.instance.function
    environment = process_environment(function, "c-1", function.credentials())
    alarm = {
        "userId": "1000000000000000", "alertName": "cpu-high", "alertState": "ALERT", "metricName": "CPUUtilization",
        "namespace": "acs_ecs_dashboard", "regionId": "cn-hangzhou", "dimensions": f"{{instanceId={ONE}}}",
        "timestamp": int(time.time() * 1000),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _HANDLED, json.dumps(alarm)],
        env={**environment, "PYTHONPATH": str(function.code_path)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == "accepted"
    found = {prefix for prefix in OPTIONAL if any(name.startswith(prefix) for name in modules)}
    assert found == (set(OPTIONAL) if loaded else set())
    assert not set(NEVER) & set(modules)
