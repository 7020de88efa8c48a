"""MODE=observe: everything but the call that reboots, remembered where no acting function looks."""

from typing import Any

import pytest
from staging import Stage, Staged, instances

from localcloud.commands.project_function import project_function
from localcloud.functioncompute.instance import FunctionInstance

ONE, TWO = "i-bp1test0000000000000", "i-bp1test0000000000001"
TABLE = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger"}
LEDGERS = [pytest.param({}, id="tags"), pytest.param(TABLE, id="tablestore")]
SETTINGS = {"GRACE_SECONDS": "0", "COOLDOWN_SECONDS": "0", "MAX_REBOOTS": "off", "FORCE_REBOOT": "escalate"}


def ask(*instance_ids: str) -> dict[str, Any]:
    return {"instance_ids": list(instance_ids), "region_id": "cn-hangzhou"}


def codes(answer: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(result["code"], result["force"]) for result in answer["results"]]


@pytest.mark.parametrize("ledger", LEDGERS)
def test_what_would_have_been_done_counts_and_nothing_is_done(stage: Staged, ledger: dict[str, str]) -> None:
    observing = {**SETTINGS, **ledger, "MODE": "observe", "MAX_ATTEMPTS": "2"}
    here = stage(instances(2), **observing)
    assert codes(here.send(ask(ONE))) == [("would_reboot", False)]
    assert codes(here.send(ask(ONE))) == [("would_reboot", True)], "a second attempt would have been forced"
    assert codes(here.send(ask(ONE))) == [("attempts_exhausted", False)]
    swept = here.send({"verify": True, "region_id": "cn-hangzhou"})
    assert [result["code"] for result in swept["results"]] == ["nothing_to_do"], "nothing is waited for"
    assert "RebootInstances" not in here.calls()
    assert here.rebooted() == []
    assert here.cloud.fleet[ONE].state.tags.keys() - {"ecs-reboot", "ecs-reboot.observed"} == set()

    with FunctionInstance(project_function(here.cloud, here.server.url, {**observing, "MODE": "act"})) as acting:
        after = Stage(here.cloud, here.server, acting)
        assert codes(after.send(ask(ONE, TWO))) == [("accepted", False)] * 2, "what was observed holds nothing back"
        assert here.rebooted() == [ONE, TWO]


def test_limits_hold_among_the_observed(stage: Staged) -> None:
    here = stage(instances(3), GRACE_SECONDS="0", MAX_REBOOTS="1", MODE="observe")
    answer = here.send(ask(ONE, TWO))
    assert sorted(result["code"] for result in answer["results"]) == ["blast_radius", "would_reboot"]
    assert [result["code"] for result in here.send(ask(ONE))["results"]] == ["cooldown"]
    assert here.rebooted() == []


def test_a_storm_is_one_among_the_observed(stage: Staged) -> None:
    here = stage(instances(4), GRACE_SECONDS="0", MAX_REBOOTS="1", STORM_FACTOR="2", MODE="observe")
    ids = [instance.spec.instance_id for instance in here.cloud.fleet]
    told = [[result["code"] for result in here.send(ask(instance_id))["results"]] for instance_id in ids]
    assert told == [["would_reboot"], ["blast_radius"], ["storm_began", "storm"], ["storm"]]


def test_a_dry_run_stays_a_dry_run(stage: Staged) -> None:
    here = stage(instances(1), GRACE_SECONDS="0", MODE="observe")
    assert codes(here.send({**ask(ONE), "dry_run": True})) == [("DRYRUN.SUCCESS", False)]
    assert codes(here.send(ask(ONE))) == [("would_reboot", False)], "a dry run claims nothing"


def test_a_rolling_reboot_goes_on_as_if_its_instances_had_restarted(stage: Staged) -> None:
    here = stage(instances(2), GRACE_SECONDS="0", COOLDOWN_SECONDS="0", MAX_REBOOTS="off", MODE="observe")
    tick = {"tags": {"ecs-reboot": "enabled"}, "region_id": "cn-hangzhou", "limit": 1, "older_than": "1d"}
    told = [codes(here.send(tick)) for _ in range(3)]
    assert told[:2] == [[("rolling_progress", False), ("would_reboot", False)]] * 2
    assert told[2] == [("rolling_progress", False)], "both would have been rebooted by now"


def test_neither_is_a_scaling_group_changed_nor_what_hangs_finished(stage: Staged) -> None:
    hangs = {**instances(2)[1], "status": "Stopping", "hangs": True}
    group = {"scaling_group_id": "asg-1", "instance_ids": [ONE]}
    settings = {**SETTINGS, **TABLE, "MODE": "observe", "MANAGED": "protect"}
    here = stage([instances(1)[0], hangs], scaling_groups=[group], **settings)
    assert codes(here.send(ask(ONE))) == [("would_reboot", False)]
    assert codes(here.send({**ask(TWO), "force": True, "reason": "seen on VNC"})) == [("would_reboot", True)]
    changes = [call["action"] for call in here.cloud.audit.calls() if call["service"] != "ots" and call["effect"]]
    assert changes == []
