"""A verdict that a person must hear, or a storm, is told at least once, wherever the run that found it ends."""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from scripted_ecs import NOW, ONE, REGION, JumpingClock, ScriptedEcs, deadline, instance, settings
from scripted_table import CutOff, ScriptedTable

from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import window_row
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.ledger.entry import Entry, State, Unreadable
from ecs_reboot.outcomes import BY_CODE, TO_TELL
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog

STORES = ("tablestore", "tags")
SWEEP: dict[str, object] = {"verify": True, "region_id": REGION}
ALARM: dict[str, object] = {"instance_ids": [ONE], "region_id": REGION}
LONG = 400.0
#: Four instances of one region at once, where the limit is one and more than three are a storm.
STORMY = ("i-bp1storm000001", "i-bp1storm000002", "i-bp1storm000003", "i-bp1storm000004")
STORM: dict[str, object] = {"instance_ids": list(STORMY), "region_id": REGION}


class Delivery(RecordDelivery):
    """A logstore that takes what it is given, or refuses it; or none where its ``status`` is `off`."""

    status = "off"

    def outcome(self) -> dict[str, Any]:
        return {"status": self.status, "written": 0}


class Stage:
    """Invocations over one table or the tags of one ECS, each cut off before a call where a test says so."""

    def __init__(self, store: str, *ids: str, **environment: str) -> None:
        self.store, self.clock = store, JumpingClock()
        self.ecs = ScriptedEcs(*(instance(instance_id) for instance_id in ids or (ONE,)))
        self.table = ScriptedTable(self.clock)
        self.settings = settings(
            DEFAULT_REGION=REGION, LEDGER=store, TABLESTORE_INSTANCE="table", CLAIM_SETTLE_SECONDS="2",
            **{"VERIFY_SECONDS": "0", **environment},
        )  # fmt: skip
        self.told: list[str] = []
        self.storms: list[dict[str, Any]] = []
        self.log_store = "off"

    def send(self, event: dict[str, object], name: str = "r-1") -> list[str]:
        """Return the codes of the results; those that were printed before a cut are in ``told`` alone."""
        lines: list[str] = []
        delivery = Delivery(self.settings, NoCredentials(), REGION, self.clock)
        delivery.status = self.log_store
        invocation = Invocation(
            name, self.settings, deadline(100, self.clock),
            connect=lambda _: Connections(self.ecs, lambda: self.table),
            record_log=RecordLog(name, self.clock, lines.append), delivery=delivery,
        )  # fmt: skip
        try:
            invocation.answer(json.dumps(event).encode())
        finally:
            records = [json.loads(line) for line in lines]
            results = [record for record in records if record["record"] == "result"]
            said = [record["code"] for record in results if record["instance_id"]]
            self.told += said
            self.storms += [record for record in results if record["code"] == "storm_began"]
        return said

    def cut(self, event: dict[str, object], calls: int, *, late: bool = False) -> bool:
        """Send an event to a run that dies before the call after so many; return whether it died.

        ``late``: it dies when that call has taken effect, before it is answered.
        """
        left = [calls]

        def count() -> None:
            left[0] -= 1
            if left[0] < 0:
                raise CutOff

        tags = self.store == "tags"
        cloud: ScriptedEcs | ScriptedTable = self.ecs if tags else self.table
        steps = cloud.after if late else cloud.before
        for name in ("describe", "entries", "remember") if tags else ("read", "write", "range", "w#", "i#"):
            steps[name] = [count] * 100
        try:
            self.send(event, "r-2")
        except CutOff:
            return True
        finally:
            steps.clear()
        return False

    def entry(self) -> Entry | None:
        if self.store == "tags":
            return ledger.parse(self.ecs.entry(ONE), self.clock.now())
        row = self.table.row(f"i#{ONE}")
        return Entry.model_validate(
            {
                "at": NOW, "state": row.columns["state"], "force": False, "claim": "0badcafe",
                "untold": bool(row.columns.get("untold_at")),
            }
        ) if row else None  # fmt: skip

    def mark(self) -> tuple[str, bool]:
        entry = self.entry()
        assert entry
        return entry.state, entry.untold

    def storm_is_untold(self) -> bool:
        if self.store == "tags":
            return any(" storm! " in self.ecs.entry(instance_id) for instance_id in self.ecs.instances)
        row = self.table.row("w#default")
        return row is not None and bool(window_row.read(row.columns).storm_untold_at)

    def window(self) -> window_row.Window:
        row = self.table.row("w#default")
        assert row
        return window_row.read(row.columns)


def of_trouble(store: str) -> Iterator[tuple[Stage, str]]:
    """Yield a stage for each verdict of a sweep that a person must hear."""
    for status, code in (("Stopping", "hung"), ("Stopped", "stayed_down"), ("Running", "unproven")):
        stage = Stage(store)
        assert stage.send(ALARM) == ["accepted"]
        stage.ecs.change(ONE, status=status)
        stage.clock.sleep(1300)
        yield stage, code


@pytest.mark.parametrize("store", STORES)
def test_a_sweep_that_dies_anywhere_is_followed_by_one_that_tells(store: str) -> None:
    silent = []
    for calls in range(30):
        died = False
        for stage, code in of_trouble(store):
            died = stage.cut(SWEEP, calls) or died
            before = list(stage.told)
            stage.clock.sleep(LONG)
            stage.send(SWEEP, "r-3")
            stage.send(SWEEP, "r-4")
            assert stage.told.count(code) in (1, 2), (calls, code)
            assert stage.mark() == (BY_CODE[code].state_after, False)
            silent += [code] if code not in before else []
        if not died:
            break
    else:
        raise AssertionError("it never came to its end")
    assert {"hung", "stayed_down", "unproven"} == set(silent)


@pytest.mark.parametrize("store", STORES)
def test_a_sweep_that_goes_on_to_its_end_is_not_repeated(store: str) -> None:
    for stage, code in of_trouble(store):
        for _ in range(3):
            stage.send(SWEEP, "r-2")
            stage.clock.sleep(LONG)
        assert stage.told.count(code) == 1
        assert stage.mark() == (BY_CODE[code].state_after, False)


@pytest.mark.parametrize("store", STORES)
def test_what_nobody_took_is_told_by_each_sweep_until_somebody_does(store: str) -> None:
    for stage, code in of_trouble(store):
        stage.log_store = "failed"
        for _ in range(2):
            stage.send(SWEEP, "r-2")
            stage.clock.sleep(LONG)
        assert stage.mark() == (BY_CODE[code].state_after, True)
        stage.log_store = "written"
        for _ in range(2):
            stage.send(SWEEP, "r-2")
            stage.clock.sleep(LONG)
        assert stage.told.count(code) == 3
        assert not stage.mark()[1]


def test_a_sweep_leaves_to_a_run_what_it_may_be_about_to_tell() -> None:
    for stage, code in of_trouble("tablestore"):
        stage.log_store = "failed"
        stage.send(SWEEP, "r-2")
        stage.clock.sleep(60)
        stage.send(SWEEP, "r-3")
        assert stage.told.count(code) == 1
        stage.clock.sleep(LONG)
        stage.send(SWEEP, "r-3")
        assert stage.told.count(code) == 2


def test_a_place_is_free_once_somebody_was_told() -> None:
    for stage, code in of_trouble("tablestore"):
        stage.log_store = "failed"
        stage.send(SWEEP, "r-2")
        held = {"hung": "hung", "stayed_down": "down", "unproven": "open"}[code]
        assert [slot.state for slot in stage.window().slots] == [held]
        stage.clock.sleep(LONG)
        stage.log_store = "written"
        stage.send(SWEEP, "r-2")
        assert [slot.state for slot in stage.window().slots] == ["ended" if code == "unproven" else held]


@pytest.mark.parametrize("store", STORES)
def test_a_watching_run_that_dies_before_its_record_is_told_by_a_sweep(store: str) -> None:
    stage = Stage(store, VERIFY_SECONDS="20")
    stage.ecs.on_reboot = lambda _: stage.ecs.change(ONE, status="Stopped")
    stage.log_store = "failed"
    assert stage.send(ALARM) == ["stayed_down"]
    assert stage.mark() == ("down", True)
    stage.clock.sleep(LONG)
    stage.log_store = "written"
    assert stage.send(SWEEP, "r-2") == ["stayed_down"]
    assert stage.mark() == ("down", False)
    assert stage.send(SWEEP, "r-3") == []


@pytest.mark.parametrize("store", STORES)
def test_a_person_who_has_seen_it_is_not_told_again(store: str) -> None:
    for stage, code in of_trouble(store):
        stage.log_store = "failed"
        stage.send(SWEEP, "r-2")
        resume: dict[str, object] = {"resume": True}
        verb = resume if code != "unproven" else {"reset": [ONE]}
        stage.send({**verb, "region_id": REGION, "reason": "seen"}, "r-3")
        stage.clock.sleep(LONG)
        stage.send(SWEEP, "r-4")
        assert stage.told.count(code) == 1
        assert not stage.mark()[1]


@pytest.mark.parametrize("store", STORES)
def test_what_came_back_before_anybody_was_told_is_told_as_that(store: str) -> None:
    stage, _ = next(of_trouble(store))
    stage.log_store = "failed"
    stage.send(SWEEP, "r-2")
    stage.ecs.change(ONE, status="Running", start_time=stage.clock.now())
    stage.clock.sleep(LONG)
    assert stage.send(SWEEP, "r-3") == ["recovered"]
    assert stage.mark() == ("back", False)


def test_a_mark_in_a_tag_is_read_and_fits_and_an_entry_of_before_has_none() -> None:
    states: tuple[State, ...] = ("back", "down", "hung", "unproven", "storm")
    assert set(states) == set(TO_TELL)
    for state in states:
        entry = ledger.following(
            tuple(NOW - timedelta(seconds=999_000 - number) for number in range(8)),
            at=NOW, state=state, force=True, claim="0badcafe", group="deadbeef",
        ).model_copy(update={"untold": True})  # fmt: skip
        assert len(str(entry)) <= ledger.MOST_CHARACTERS
        assert ledger.parse(str(entry), NOW) == entry
        assert not ledger.parse(str(entry).replace("!", ""), NOW).untold
    with pytest.raises(Unreadable):
        ledger.parse(str(entry).replace("!", "!!"), NOW)


def in_a_storm(store: str) -> Stage:
    return Stage(store, *STORMY, MAX_REBOOTS="1", STORM_FACTOR="3")


@pytest.mark.parametrize("store", STORES)
def test_a_run_that_sees_a_storm_and_dies_anywhere_is_followed_by_one_that_says_so(store: str) -> None:
    silent, ended = [], set()
    for calls, late in itertools.product(range(30), (False, True)):
        stage = in_a_storm(store)
        if not stage.cut(STORM, calls, late=late):
            ended.add(late)
        marked, said = stage.storm_is_untold(), len(stage.storms)
        stage.clock.sleep(LONG)
        stage.send(SWEEP, "r-3")
        assert len(stage.storms) == said + marked, "what is marked is said, and nothing else"
        stage.send(STORM, "r-4")
        stage.send(SWEEP, "r-5")
        assert len(stage.storms) in (1, 2), calls
        assert {(record["instance_id"], record["region_id"]) for record in stage.storms} == {("", REGION)}
        assert not stage.storm_is_untold()
        silent += [calls] if marked and not said else []
    assert ended == {False, True}
    assert silent


@pytest.mark.parametrize("store", STORES)
def test_a_sweep_that_says_late_that_a_storm_began_and_dies_is_followed_by_one_that_says_so(store: str) -> None:
    for calls in range(20):
        stage = in_a_storm(store)
        stage.log_store = "failed"
        stage.send(STORM)
        stage.log_store = "off"
        stage.clock.sleep(LONG)
        died = stage.cut(SWEEP, calls)
        stage.send(SWEEP, "r-3")
        stage.send(SWEEP, "r-4")
        assert len(stage.storms) in (2, 3), calls
        assert not stage.storm_is_untold()
        if not died:
            break
    else:
        raise AssertionError("it never came to its end")


@pytest.mark.parametrize("store", STORES)
def test_a_storm_that_was_said_is_not_said_again(store: str) -> None:
    stage = in_a_storm(store)
    stage.send(STORM)
    assert not stage.storm_is_untold()
    for number in range(3):
        stage.clock.sleep(LONG)
        assert stage.send(STORM, f"s-{number}") == ["storm"] * 4, "it goes on all the same"
        stage.send(SWEEP, "r-2")
    assert len(stage.storms) == 1


@pytest.mark.parametrize("store", STORES)
def test_a_storm_that_nobody_took_is_said_by_each_sweep_until_somebody_does_however_long_it_is_over(store: str) -> None:
    stage = in_a_storm(store)
    stage.log_store = "failed"
    stage.send(STORM)
    stage.clock.sleep(60)
    stage.send(SWEEP, "r-2")
    assert len(stage.storms) == 1, "its run may be about to say it"
    stage.clock.sleep(LONG)
    stage.send(SWEEP, "r-2")
    stage.clock.sleep(7200)
    assert stage.send({"instance_ids": [STORMY[1], STORMY[0]], "region_id": REGION}, "r-3") == [
        "accepted",
        "blast_radius",
    ], "the storm is over"
    stage.log_store = "written"
    for _ in range(2):
        stage.clock.sleep(LONG)
        stage.send(SWEEP, "r-4")
    assert not stage.storm_is_untold()
    assert len(stage.storms) == 3
    assert stage.storms[-1]["reason"].startswith(f"seen at {NOW:%Y-%m-%dT%H:%M:%SZ}; ")


@pytest.mark.parametrize("store", STORES)
def test_a_storm_that_a_person_has_ended_is_not_said_again(store: str) -> None:
    stage = in_a_storm(store)
    stage.log_store = "failed"
    stage.send(STORM)
    stage.send({"resume": True, "region_id": REGION, "reason": "seen"}, "r-2")
    assert not stage.storm_is_untold()
    stage.clock.sleep(LONG)
    stage.send(SWEEP, "r-3")
    assert len(stage.storms) == 1


@pytest.mark.parametrize("store", STORES)
def test_a_dry_run_neither_marks_a_storm_nor_takes_a_mark_away(store: str) -> None:
    stage = in_a_storm(store)
    stage.send({**STORM, "dry_run": True})
    assert not stage.storm_is_untold()
    stage.log_store = "failed"
    stage.send(STORM)
    stage.log_store = "written"
    stage.send({**STORM, "dry_run": True}, "r-2")
    assert stage.storm_is_untold()


def test_the_mark_of_a_storm_outlives_it_and_is_no_column_where_nothing_is_untold() -> None:
    calm = window_row.Window().with_asked([ONE], NOW, storm=False)
    assert "storm_untold_at" not in calm.columns()
    storm = calm.with_asked([ONE], NOW, storm=True)
    assert storm.columns()["storm_untold_at"] == storm.columns()["storm_at"] == window_row.millis(NOW)
    assert window_row.read(storm.columns()) == storm
    told = storm.with_storm_told()
    assert (told.storm_at, told.columns().get("storm_untold_at")) == (storm.storm_at, None)
    assert told.with_asked([ONE], NOW + timedelta(seconds=9), storm=True).storm_untold_at == 0, "the same storm"
    over = storm.with_slots((), 3600, NOW + timedelta(seconds=3600))
    assert (over.storm_at, over.storm_untold_at) == (0, storm.storm_untold_at)
    with pytest.raises(Unreadable):
        window_row.read({**storm.columns(), "storm_untold_at": "noon"})
