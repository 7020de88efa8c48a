"""A verdict that a person must hear is told at least once, wherever the run that found it ends."""

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


class Delivery(RecordDelivery):
    """A logstore that takes what it is given, or refuses it; or none where its ``status`` is `off`."""

    status = "off"

    def outcome(self) -> dict[str, Any]:
        return {"status": self.status, "written": 0}


class Stage:
    """Invocations over one table or the tags of one ECS, each cut off before a call where a test says so."""

    def __init__(self, store: str, **environment: str) -> None:
        self.store, self.clock, self.ecs = store, JumpingClock(), ScriptedEcs(instance())
        self.table = ScriptedTable(self.clock)
        self.settings = settings(
            DEFAULT_REGION=REGION, LEDGER=store, TABLESTORE_INSTANCE="table", CLAIM_SETTLE_SECONDS="2",
            **{"VERIFY_SECONDS": "0", **environment},
        )  # fmt: skip
        self.told: list[str] = []
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
            self.table.most_calls = 1_000_000
            records = [json.loads(line) for line in lines]
            said = [record["code"] for record in records if record["record"] == "result" and record["instance_id"]]
            self.told += said
        return said

    def cut(self, event: dict[str, object], calls: int) -> bool:
        """Send an event to a run that dies before the call after so many; return whether it died."""
        self.table.most_calls = len(self.table.calls) + calls
        left = [calls]

        def count() -> None:
            left[0] -= 1
            if left[0] < 0:
                raise CutOff

        if self.store == "tags":
            for name in ("describe", "entries", "remember"):
                self.ecs.before[name] = [count] * 100
        try:
            self.send(event, "r-2")
        except CutOff:
            return True
        finally:
            self.ecs.before.clear()
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
    states: tuple[State, ...] = ("back", "down", "hung", "unproven")
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
