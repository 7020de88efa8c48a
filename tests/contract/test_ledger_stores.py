"""What every ledger store promises to a run and to those who look after it: tags, a table in memory, the real client.

The judge here allows what nobody else has claimed, as long as fewer than ``limit`` others are claimed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest

from ecs_reboot.clock import Clock, Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.cloud.tablestore.client import Tablestore
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, History
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.store import Judged, LedgerMaintenance, LedgerStore, Wanted
from ecs_reboot.ledger.table_ledger import TableLedger
from ecs_reboot.ledger.table_maintenance import TableMaintenance
from ecs_reboot.ledger.table_reading import TableSettings
from ecs_reboot.ledger.table_rows import TableApi
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.ledger.tag_maintenance import TagMaintenance
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running
from review.fleet_in_memory import FleetInMemory
from review.stepped_clock import SteppedClock
from simulation.memory_table import MemoryTable

REGION, ONE, TWO = "cn-hangzhou", "i-bp1one00000001", "i-bp1two00000002"
HOLDS = timedelta(seconds=330)


class Stores(NamedTuple):
    """One account's memory: a store for each run, and a clock that all share."""

    run: Callable[[str, str], LedgerStore]
    maintenance: Callable[[], LedgerMaintenance]
    now: Callable[[], datetime]
    ecs: EcsApi


def _fleet(clock: Clock) -> FleetInMemory:
    instances = [
        {"instance_id": instance_id, "region_id": REGION, "tags": {"ecs-reboot": "enabled"}}
        for instance_id in (ONE, TWO)
    ]
    return FleetInMemory(Fleet.model_validate({"instances": instances}), clock)


def _over_tags() -> Stores:
    clock = SteppedClock(datetime(2026, 3, 2, tzinfo=timezone.utc))
    ecs, until = _fleet(clock), Deadline(clock, 1000)
    return Stores(
        lambda request, _: TagLedger(ecs, until, TagSettings(request, 3600, 0.0)),
        lambda: TagMaintenance(ecs, until, 0.0),
        clock.now,
        ecs,
    )


def _over_table(api: TableApi, clock: Clock) -> Stores:
    until = Deadline(clock, 60)

    def settings(request: str, run: str) -> TableSettings:
        return TableSettings("stack", request, run, 3600, HOLDS)

    return Stores(
        lambda request, run: TableLedger(api, "ledger", until, settings(request, run)),
        lambda: TableMaintenance(api, "ledger", until, settings("sweep", "sweep")),
        clock.now,
        _fleet(clock),
    )


def _over_http(shared: Running) -> Stores:
    shared.cloud.reset()
    given = shared.cloud.credentials.assume_role("function")
    credentials = Credentials(
        access_key_id=given.access_key_id,
        access_key_secret=given.access_key_secret,
        security_token=given.security_token,
    )
    clock = SystemClock()
    api = Tablestore("ecs-rb", credentials, Deadline(clock, 60), endpoint=shared.url, answer_seconds=5.0)
    return _over_table(api, clock)


@pytest.fixture(params=["tags", "table in memory", "table over HTTP"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "tags":
        return _over_tags()
    if request.param == "table in memory":
        clock = SteppedClock(datetime(2026, 3, 2, tzinfo=timezone.utc))
        return _over_table(MemoryTable(clock.now), clock)
    return _over_http(request.getfixturevalue("shared"))


def wanted(stores: Stores, *ids: str) -> list[Wanted]:
    return [Wanted(instance, "0") for instance in stores.ecs.describe(REGION, ids or (ONE,))]


def judge(request: str, limit: int = 10) -> Callable[[Mapping[str, History], RegionMemory, datetime], Judged]:
    def judged(histories: Mapping[str, History], memory: RegionMemory, now: datetime) -> Judged:
        claims: dict[str, Entry] = {}
        crowded = []
        for instance_id, history in histories.items():
            ours = ledger.claim_digest(request)
            if history.unreadable or ledger.attempts(history.entry, now, ours=ours):
                continue
            if len(memory.rebooted - {instance_id}) + len(claims) >= limit:
                crowded.append(instance_id)
                continue
            claims[instance_id] = ledger.following(
                (), before=history.entry, at=now, state="claimed", force=False, claim=ours, group="0"
            )
        return Judged(claims, tuple(crowded))

    return judged


def claim(stores: Stores, request: str, *ids: str, limit: int = 10) -> tuple[LedgerStore, set[str]]:
    store = stores.run(request, f"run-{request}")
    obtained = store.obtain(REGION, wanted(stores, *ids), judge(request, limit), count=None)
    return store, set(obtained.mine)


def state(stores: Stores, instance_id: str = ONE) -> str:
    entry = dict(stores.maintenance().list(REGION)).get(instance_id, History()).entry
    return entry.state if entry else ""


def test_what_is_claimed_is_one_run_s_and_is_seen_by_all(stores: Stores) -> None:
    store, mine = claim(stores, "a")
    assert mine == {ONE}
    assert store.still_ours(REGION, [ONE, TWO]) == {ONE}
    assert claim(stores, "b")[1] == set()
    assert state(stores) == "claimed"
    histories = store.histories(REGION, stores.ecs.describe(REGION, (ONE, TWO)))
    assert [bool(histories[instance_id].entry) for instance_id in (ONE, TWO)] == [True, False]


def test_a_dry_run_writes_nothing(stores: Stores) -> None:
    store = stores.run("a", "run-a")
    obtained = store.obtain(REGION, wanted(stores), judge("a"), count=None, dry_run=True)
    assert obtained.mine == {ONE}
    assert state(stores) == ""


def test_the_limit_counts_what_others_claimed_and_not_what_was_taken_back(stores: Stores) -> None:
    first, _ = claim(stores, "a", limit=1)
    assert claim(stores, "b", TWO, limit=1)[1] == set()
    first.release(REGION, [ONE])
    assert claim(stores, "c", TWO, limit=1)[1] == {TWO}


def test_whoever_is_refused_because_of_a_claim_that_may_never_have_led_to_ecs_is_to_come_again(stores: Stores) -> None:
    first, _ = claim(stores, "a", limit=1)
    refused = stores.run("b", "run-b").obtain(REGION, wanted(stores, TWO), judge("b", 1), count=None)
    assert not refused.mine
    assert refused.unsettled == {TWO}
    first.record(REGION, {ONE: "in_doubt"})
    refused = stores.run("b", "run-b2").obtain(REGION, wanted(stores, TWO), judge("b", 1), count=None)
    assert (refused.mine, refused.unsettled) == (frozenset(), frozenset({TWO}))
    first.record(REGION, {ONE: "accepted"})
    refused = stores.run("c", "run-c").obtain(REGION, wanted(stores, TWO), judge("c", 1), count=None)
    assert (refused.mine, refused.unsettled) == (frozenset(), frozenset())


def test_a_claim_that_was_taken_back_is_no_attempt(stores: Stores) -> None:
    first, _ = claim(stores, "a")
    first.release(REGION, [ONE])
    assert claim(stores, "b")[1] == {ONE}


def test_states_are_written_over_one_s_own_claim_alone(stores: Stores) -> None:
    first, _ = claim(stores, "a")
    first.record(REGION, {ONE: "accepted"})
    assert state(stores) == "accepted"
    other = stores.run("b", "run-b")
    other.record(REGION, {ONE: "down"})
    other.release(REGION, [ONE])
    assert state(stores) == "accepted"
    first.record(REGION, {ONE: "back"})
    first.record(REGION, {ONE: "down"})
    assert state(stores) == "back"


def test_the_sweep_finds_what_is_open_or_bad_and_writes_over_nothing_newer(stores: Stores) -> None:
    first, _ = claim(stores, "a", ONE, TWO)
    first.record(REGION, {ONE: "accepted", TWO: "back"})
    upkeep = stores.maintenance()
    (found,) = upkeep.open_reboots(REGION, (ONE, TWO))
    assert (found.instance_id, found.entry.state) == (ONE, "accepted")
    first.record(REGION, {ONE: "down"})
    assert upkeep.conclude(REGION, {ONE: (found.entry, "back")}) == frozenset()
    upkeep = stores.maintenance()
    (found,) = upkeep.open_reboots(REGION, ())
    assert found.entry.state == "down"
    assert upkeep.conclude(REGION, {ONE: (found.entry, "back")}) == {ONE}
    assert state(stores) == "back"


def test_a_person_clears_attempts_and_lifts_a_suspension(stores: Stores) -> None:
    first, _ = claim(stores, "a")
    first.record(REGION, {ONE: "down"})
    assert stores.maintenance().resume(REGION) == {ONE: "down"}
    assert state(stores) == "seen"
    assert stores.maintenance().reset(REGION, [ONE, TWO]).keys() == {ONE}
    assert state(stores) == "reset"
    assert claim(stores, "b")[1] == {ONE}


def test_the_limit_counts_what_a_person_has_cleared_whatever_becomes_of_a_later_claim(stores: Stores) -> None:
    first, _ = claim(stores, "a")
    first.record(REGION, {ONE: "back"})
    stores.maintenance().reset(REGION, [ONE])
    for request in ("b", "c"):  # two runs that end before they ask ECS
        assert claim(stores, request)[1] == {ONE}
        upkeep = stores.maintenance()
        (found,) = upkeep.open_reboots(REGION, (ONE,))
        assert upkeep.conclude(REGION, {ONE: (found.entry, "void")}) == {ONE}
        assert claim(stores, "d", TWO, limit=1)[1] == set()
    assert claim(stores, "d", TWO, limit=2)[1] == {TWO}


def test_of_two_runs_that_come_into_each_other_one_has_it(stores: Stores) -> None:
    others: list[set[str]] = []

    def comes_in(histories: Mapping[str, History], memory: RegionMemory, now: datetime) -> Judged:
        judged = judge("a")(histories, memory, now)
        if not others:
            others.append(claim(stores, "b")[1])
        return judged

    obtained = stores.run("a", "run-a").obtain(REGION, wanted(stores), comes_in, count=None)
    assert len(others[0]) == 1
    if state(stores) == "claimed" and obtained.mine:  # tags: the later writer has it, the earlier one has lost
        assert stores.run("b", "run-b").still_ours(REGION, [ONE]) == frozenset()
    else:
        assert obtained.mine == frozenset()
