"""Observing, in memory: the shadow ledger, its sweep, and the lock behind the decision not to ask."""

from datetime import timedelta

import pytest
from scripted_ecs import NOW, ONE, REGION, JumpingClock, ScriptedEcs, deadline, entry, instance, request, settings
from scripted_table import CutOff, ScriptedTable

from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.ledger.observing_ecs import ObservingEcs
from ecs_reboot.model import RebootRequest, Target
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import Facts, attempts
from ecs_reboot.remediation import chosen_ledger
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.observation import as_if_restarted
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger
from ecs_reboot.remediation.remediate import Remediation
from ecs_reboot.settings.settings import load

PATIENCE = Patience(holds=timedelta(seconds=330), hung_after=timedelta(seconds=1200), observing=True)


def facts(tags: dict[str, str], history: ledger.History, mode: str = "observe") -> Facts:
    target = Target(instance_id=ONE, region_id=REGION)
    return Facts(
        request=RebootRequest(trigger="manual", evidence="a test", targets=(target,)),
        target=target,
        instance=instance(tags={"ecs-reboot": "enabled", **tags}),
        policy=load({"MODE": mode, "LEDGER": "tags"}).policy,
        now=NOW,
        history=history,
    )


class Runs:
    """Runs of one function after another, over one ECS and one table."""

    def __init__(self, store: str) -> None:
        self.clock = JumpingClock()
        self.ecs, self.table, self.store, self.number = ScriptedEcs(instance()), ScriptedTable(self.clock), store, 0

    def run(self, mode: str, **environment: str) -> tuple[str, bool]:
        self.number += 1
        chosen = settings(
            **environment, MODE=mode, LEDGER=self.store, TABLESTORE_INSTANCE="table", COOLDOWN_SECONDS="600"
        )
        until, holds, named = deadline(200, self.clock), timedelta(seconds=230), f"request-{self.number}"
        connections = Connections(self.ecs, lambda: self.table)
        memory = chosen_ledger.connect(chosen, connections, until, request_id=named, holds=holds)
        remediation = Remediation(
            self.ecs, memory.store, chosen, until, request_id=named, holds=holds, log_intent=lambda _: None
        )
        (result,) = remediation.run([request()])
        return result.code, result.force


@pytest.mark.parametrize("store", ["tags", "tablestore"])
def test_the_shadow_remembers_and_holds_back_nobody_who_acts(store: str) -> None:
    runs = Runs(store)
    assert [runs.run("observe")[0] for _ in range(2)] == ["would_reboot", "cooldown"]
    assert not runs.ecs.asked, "ECS was not asked"
    assert runs.ecs.entry(ONE) == ""
    assert runs.run("act")[0] == "accepted"


@pytest.mark.parametrize("call", [{"force": False}, {"force": True}])
def test_no_reboot_leaves_an_observing_function(call: dict[str, bool]) -> None:
    ecs = ScriptedEcs(instance())
    with pytest.raises(AssertionError, match=f"about to reboot {ONE}"):
        ObservingEcs(ecs).reboot(REGION, (ONE,), **call, dry_run=False, batch_optimization="SuccessFirst")
    answer = ObservingEcs(ecs).reboot(REGION, (ONE,), **call, dry_run=True, batch_optimization="SuccessFirst")
    assert answer.dry_run_code == "DRYRUN.SUCCESS"


def test_no_scaling_group_is_changed_by_an_observing_function_even_where_a_run_was_cut_off() -> None:
    runs, api = Runs("tablestore"), Api("ess", "SetInstancesProtection")
    with pytest.raises(AssertionError, match="SetInstancesProtection"):
        ObservingEcs(runs.ecs).ask([Question(api, REGION, {})], 1.0)
    member = {"InstanceId": ONE, "ScalingGroupId": "asg-1", "LifecycleState": "InService"}
    runs.ecs.answers["DescribeScalingInstances"] = {"ScalingInstances": [member]}
    runs.table.most_calls = 3  # claimed, and not yet said what would have been done
    with pytest.raises(CutOff):
        runs.run("observe", MANAGED="protect")
    runs.table.most_calls = 1_000
    row = runs.table.row(f"i#{ONE}", f"observed/{REGION}")
    assert row
    assert (row.columns["state"], row.columns["protects"]) == ("claimed", "")


@pytest.mark.parametrize("key", [ledger.KEY, "ecs-reboot"])
def test_no_other_tag_is_written_by_an_observing_function(key: str) -> None:
    with pytest.raises(AssertionError, match=r"ecs-reboot\.observed only"):
        ObservingEcs(ScriptedEcs(instance())).set_tag(REGION, (ONE,), key, "v1")


@pytest.mark.parametrize("status", ["Running", "Stopping", "Stopped"])
def test_whatever_a_machine_shows_the_shadow_waits_for_nothing_but_the_run(status: str) -> None:
    young, old = (ledger.parse(entry("claimed", ago=ago), NOW) for ago in (329, 330))
    shown = Swept(instance(status=status), PATIENCE)
    assert transition(from_ledger(young), shown, NOW).code is None
    end = transition(from_ledger(old), shown, NOW)
    assert (end.state, end.code) == ("back", "nothing_to_do")


def test_a_shadow_claim_is_an_attempt_though_nobody_was_asked() -> None:
    history = ledger.read(entry("claimed", ago=5000), NOW)
    shown = instance()
    assert len(attempts(facts({}, history), shown)) == 1
    assert attempts(facts({}, history, "act"), shown) == ()


@pytest.mark.parametrize(("mode", "others", "code"), [
    ("act", 18, "allowed"), ("act", 19, "tags_full"), ("observe", 17, "allowed"), ("observe", 18, "tags_full"),
])  # fmt: skip
def test_the_shadow_leaves_room_for_the_tag_of_an_acting_function(mode: str, others: int, code: str) -> None:
    tags = {f"t{number}": "" for number in range(others)}
    assert decide(facts(tags, ledger.History(), mode)).code == code


def test_what_would_have_been_rebooted_is_shown_started_then() -> None:
    start = NOW - timedelta(days=2)
    shown = instance(start_time=start)
    back, refused = (ledger.read(entry(state, ago=60), NOW) for state in ("back", "refused"))
    assert as_if_restarted([shown], {ONE: back})[0].start_time == NOW - timedelta(seconds=60)
    assert as_if_restarted([shown], {ONE: refused}) == [shown]
    assert as_if_restarted([shown], {}) == [shown]


@pytest.mark.parametrize("name", ["NODE", "CODE", "MODEL", "HOME"])
def test_a_short_name_is_nobodys_misspelling(name: str) -> None:
    assert load({name: "x"}).policy.mode == "act"


@pytest.mark.parametrize("key", [ledger.KEY, "ecs-reboot"])
def test_no_other_tag_is_removed_by_an_observing_function(key: str) -> None:
    with pytest.raises(AssertionError, match=r"ecs-reboot\.observed only"):
        ObservingEcs(ScriptedEcs(instance())).remove_tag(REGION, (ONE,), key)
    ecs = ScriptedEcs(instance(tags={ledger.OBSERVED_KEY: entry("back"), key: "x"}))
    ObservingEcs(ecs).remove_tag(REGION, (ONE,), ledger.OBSERVED_KEY)
    assert dict(ecs.instances[ONE].tags) == {key: "x"}
