"""Evidence, in memory: what is kept of an answer, and that nobody waits for one that does not come."""

import base64
import hashlib
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from scripted_ecs import (
    ONE,
    REGION,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    facts,
    instance,
    request,
    settings,
)

from ecs_reboot.cloud.ecs_api import Question
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.cloud.oss import Bucket, NotStored
from ecs_reboot.evidence.taking import MOST_BYTES, EvidenceTaker
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.model import Instance
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot
from ecs_reboot.remediation.remediate import Remediation

PNG = b"\x89PNG and so on"
HUNG = {"ecs-reboot": "enabled", ledger.KEY: entry("hung", ago=1500)}
TEXT = base64.b64encode(b"panic").decode()


class Shelf(Bucket):
    """A bucket in memory; ``fails``: endings of what it does not take."""

    def __init__(self, *fails: str) -> None:
        self.fails, self.objects = fails, dict[str, bytes]()

    def put(self, key: str, body: bytes, content_type: str, now: datetime, seconds: float) -> None:
        assert content_type
        assert now
        assert seconds > 0
        if key.endswith(self.fails or ("nothing",)):
            raise NotStored("no room")
        self.objects[key] = body


def orders(*ids: str) -> list[ApprovedReboot]:
    known = [facts(instance(instance_id)) for instance_id in ids]
    return [ApprovedReboot(known_facts, decide(known_facts)) for known_facts in known]


def seeing(**answers: Any) -> ScriptedEcs:
    ecs = ScriptedEcs(instance(ONE), instance(TWO))
    ecs.answers = {"GetInstanceConsoleOutput": {"ConsoleOutput": TEXT}, **answers}
    return ecs


def take(ecs: ScriptedEcs, shelf: Shelf, *ids: str, level: str = "console", seconds: float = 40.0) -> Any:
    taker = EvidenceTaker(level, shelf, deadline(seconds, JumpingClock()), "r/1")  # type: ignore[arg-type]
    return taker.take(ecs, REGION, orders(*ids or (ONE,)))


def test_each_instance_has_exhibits_of_its_own() -> None:
    shelf = Shelf()
    told = take(seeing(), shelf, ONE, TWO)
    assert {instance_id: [exhibit.name for exhibit in of_it] for instance_id, of_it in told.items()} == {
        ONE: ["console"],
        TWO: ["console"],
    }
    assert sorted(key.split("/")[1] for key in shelf.objects) == sorted((ONE, TWO))
    assert all("r-1" in key for key in shelf.objects), "a request ID is no path"


@pytest.mark.parametrize(("answer", "error"), [
    (NoAnswer("GetInstanceConsoleOutput", "timed out"), "timed out"), ({}, "is empty"),
    ({"ConsoleOutput": "not Base64 !"}, "is not Base64"), ({"ConsoleOutput": None}, "is empty"),
])  # fmt: skip
def test_what_is_no_text_is_an_error_and_no_object(answer: Any, error: str) -> None:
    shelf = Shelf()
    (exhibit,) = take(seeing(GetInstanceConsoleOutput=answer), shelf)[ONE]
    assert error in exhibit.error
    assert (exhibit.key, shelf.objects) == ("", {})


def test_of_a_long_text_the_end_is_kept_and_of_a_large_picture_nothing() -> None:
    large = bytes(MOST_BYTES - 2)
    answers = {
        "GetInstanceConsoleOutput": {"ConsoleOutput": base64.b64encode(b"first" + large + b"nic").decode()},
        "GetInstanceScreenshot": {"Screenshot": base64.b64encode(PNG + large).decode()},
    }
    shelf = Shelf()
    exhibits = {exhibit.name: exhibit for exhibit in take(seeing(**answers), shelf, level="full")[ONE]}
    (kept,) = [body for key, body in shelf.objects.items() if key.endswith("console.txt")]
    assert (len(kept), kept[-3:]) == (MOST_BYTES, b"nic")
    assert f"more than {MOST_BYTES}" in exhibits["screen"].error


def test_what_the_bucket_does_not_take_stands_in_the_record_beside_what_it_took() -> None:
    exhibits = {exhibit.name: exhibit for exhibit in take(seeing(), Shelf("console.txt"), level="full")[ONE]}
    assert exhibits["console"].error == "no room"
    assert exhibits["state"].key


@pytest.mark.parametrize("mistake", [RuntimeError("a mistake of ours"), None])
def test_nobody_waits_for_an_answer_that_does_not_come_and_no_mistake_gets_out(mistake: Exception | None) -> None:
    ended, too_long = threading.Event(), list[str]()

    class Silent(ScriptedEcs):
        def ask(self, questions: Sequence[Question], _seconds: float) -> Any:
            if mistake:
                raise mistake
            if not ended.wait(10):
                too_long.append("the reboot waited for its evidence")
            return [{} for _ in questions]

    told = take(Silent(instance()), Shelf(), seconds=0.4)
    ended.set()
    assert not too_long
    assert [exhibit.error for exhibit in told[ONE]] == ["ECS did not answer in time"]


def test_a_run_has_two_seconds_and_twenty_instances_however_many_batches() -> None:
    taker = EvidenceTaker("console", Shelf(), deadline(40.0, JumpingClock()), "r-1")
    many = [f"i-bp1many{number:06d}" for number in range(30)]
    ecs = ScriptedEcs(*(instance(instance_id) for instance_id in many))
    ecs.answers = {"GetInstanceConsoleOutput": {"ConsoleOutput": TEXT}}
    assert len(taker.take(ecs, REGION, orders(*many[:15]))) == 15
    assert len(taker.take(ecs, REGION, orders(*many[15:]))) == 5
    assert taker.take(ecs, REGION, orders(*many)) == {}


def test_no_sleeping_screen_is_woken_and_none_is_asked_for_where_the_text_is_enough() -> None:
    asked = seeing()
    take(asked, Shelf(), ONE, TWO, level="full")
    screens = [question for question in asked.questions if question.api.action == "GetInstanceScreenshot"]
    assert [question.parameters["WakeUp"] for question in screens] == [False, False]
    asked = seeing()
    take(asked, Shelf(), ONE, TWO)
    assert {question.api.action for question in asked.questions} == {"GetInstanceConsoleOutput"}


class Timed(ScriptedEcs):
    """Notes how many seconds it was given for its answers."""

    def __init__(self, *instances: Instance) -> None:
        super().__init__(*instances)
        self.given: list[float] = []

    def ask(self, questions: Sequence[Question], seconds: float) -> Any:
        self.given.append(seconds)
        return super().ask(questions, seconds)


def test_all_of_a_run_has_two_seconds_and_no_more_than_a_quarter_of_what_is_left() -> None:
    ecs = Timed(instance(ONE))
    taker = EvidenceTaker("console", Shelf(), deadline(40.0, JumpingClock()), "r-1")
    for _ in range(2):
        taker.take(ecs, REGION, orders(ONE))
    assert 2.0 >= ecs.given[0] > ecs.given[1], "the second batch has what the first has left"
    take(ecs, Shelf(), seconds=4.0)
    assert ecs.given[2] <= 1.0


def test_the_record_holds_key_and_digest_and_never_what_was_seen() -> None:
    shelf = Shelf()
    (exhibit,) = take(seeing(), shelf)[ONE]
    assert shelf.objects == {exhibit.key: b"panic"}
    assert (exhibit.sha256, exhibit.size) == (hashlib.sha256(b"panic").hexdigest(), 5)
    assert "panic" not in exhibit.model_dump_json()


@pytest.mark.parametrize(
    ("shown", "asked", "code", "kept"),
    [
        (instance(ONE), request(), "accepted", True),
        (instance(ONE), request(dry_run=True), "DRYRUN.SUCCESS", False),
        (instance(ONE, status="Stopped"), request(), "not_running", False),
        (instance(ONE, status="Stopping", tags=HUNG), request(), "accepted", True),
    ],
    ids=["rebooted", "a dry run", "refused", "finished by force"],
)
def test_it_is_taken_of_what_is_really_rebooted(shown: Instance, asked: Any, code: str, *, kept: bool) -> None:
    ecs, shelf, until = seeing(), Shelf(), deadline(100, JumpingClock())
    ecs.instances[ONE] = shown
    remediation = Remediation(
        ecs,
        TagLedger(ecs, until, TagSettings("r-1", 3600, 0)),
        settings(FORCE_REBOOT="escalate", MANAGED="allow", PLATFORM_EVENTS="ignore"),
        until,
        request_id="r-1",
        holds=timedelta(seconds=330),
        log_intent=lambda _result: None,
        evidence=EvidenceTaker("console", shelf, until, "r-1"),
    )
    (result,) = remediation.run([asked])
    assert (result.code, len(result.exhibits), len(shelf.objects)) == (code, kept, kept)


def test_no_time_left_is_no_evidence() -> None:
    assert take(seeing(), Shelf(), seconds=0.0) == {}
