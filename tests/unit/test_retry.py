"""How long is waited after an error, and when not at all."""

from datetime import datetime, timedelta, timezone

import pytest
from scripted_ecs import LOST, ONE, REGION, UNAVAILABLE, JumpingClock, ScriptedEcs, instance, request, settings

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.errors import CloudError, Refused, Unresolved
from ecs_reboot.cloud.transport import Connections, NameUnknown, NothingSent, Request
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.model import Instance, Target
from ecs_reboot.remediation.remediate import Remediation

AT = datetime(2026, 3, 2, 12, 0, 48, 250_000, tzinfo=timezone.utc)


def throttled(code: str = "Throttling.User", retry_after_ms: int = 0) -> Refused:
    return Refused("Any", code=code, message="slow down", status=400, request_id="r", retry_after_ms=retry_after_ms)


class ClockAt(JumpingClock):
    def now(self) -> datetime:
        return AT + timedelta(seconds=self.seconds)


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api", "Throttling.Resource"])
def test_what_is_throttled_waits_for_the_next_minute(code: str, chance: float) -> None:
    clock = ClockAt()
    clock.chance = chance
    pause = retry.pause_after(throttled(code), 0.25, clock)
    then = AT + timedelta(seconds=pause)
    assert (then.minute, 1 <= then.second < 5) == (AT.minute + 1, True)


@pytest.mark.parametrize(
    ("error", "by_the_minute", "pause"),
    [
        (throttled(retry_after_ms=300), True, 0.3), (throttled(retry_after_ms=100), True, 0.25),
        (throttled(), False, 0.25), (UNAVAILABLE, True, 0.25), (LOST, True, 0.25),
    ],
    ids=["the service says when", "no less than the backoff", "counted otherwise", "unavailable", "no answer"],
)  # fmt: skip
def test_everything_else_waits_as_before(error: CloudError, *, by_the_minute: bool, pause: float) -> None:
    assert retry.pause_after(error, 0.25, ClockAt(), by_the_minute=by_the_minute) == pause


@pytest.mark.parametrize(("seconds", "waited"), [(60.0, 14.0), (13.0, 0.0)], ids=["there is time", "there is none"])
def test_a_throttled_question_is_asked_again_in_the_next_minute_or_not_at_all(seconds: float, waited: float) -> None:
    clock, ecs = ClockAt(), ScriptedEcs(instance())
    ecs.before["describe"] = [throttled()]
    deadline = Deadline(clock, seconds)
    if waited:
        assert retry.call_idempotent(lambda: ecs.describe(REGION, (ONE,)), deadline)
    else:
        with pytest.raises(Refused, match=r"Throttling\.User"):
            retry.call_idempotent(lambda: ecs.describe(REGION, (ONE,)), deadline)
    assert clock.seconds == pytest.approx(waited)


@pytest.mark.parametrize("takes", [0.0, 10.0], ids=["no such name", "no name service"])
def test_a_name_that_does_not_resolve_is_asked_for_again_for_seconds_only(takes: float) -> None:
    clock = JumpingClock()

    def unresolved() -> None:
        clock.sleep(takes)
        raise Unresolved("DescribeInstances", "https://ecs.cn-nowhere.aliyuncs.com: the name does not resolve")

    with pytest.raises(Unresolved):
        retry.call_idempotent(unresolved, Deadline(clock, 295))
    assert retry.UNRESOLVED_SECONDS <= clock.seconds <= retry.UNRESOLVED_SECONDS + max(takes, 4)


class WithoutNowhere(ScriptedEcs):
    """Counts the questions about a region whose endpoint has no address."""

    asked_nowhere = 0

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        if region_id == "cn-nowhere":
            self.asked_nowhere += 1
            raise Unresolved("DescribeInstances", "the name does not resolve")
        return super().describe(region_id, instance_ids)


def test_a_region_that_does_not_exist_holds_nobody_up() -> None:
    ecs, clock = WithoutNowhere(instance()), JumpingClock()
    many = tuple(Target(instance_id=f"i-bp1nowhere{number:06d}", region_id="cn-nowhere") for number in range(500))
    until = Deadline(clock, 200)
    remediation = Remediation(
        ecs, TagLedger(ecs, until, TagSettings("request", 3600, 0)), settings(MAX_REBOOTS="off"), until,
        request_id="request", holds=timedelta(seconds=230), log_intent=lambda _result: None,
    )  # fmt: skip
    there = Target(instance_id=ONE, region_id=REGION)
    results = remediation.run([request().model_copy(update={"targets": (*many, there)})])
    assert [result.code for result in results if result.instance_id == ONE] == ["accepted"]
    assert {(result.code, result.retriable) for result in results if result.instance_id != ONE} == {
        ("unresolved", True)
    }
    assert clock.seconds < 10
    assert ecs.asked_nowhere < 8


def test_the_transport_tells_a_name_from_a_connection() -> None:
    connections = Connections()
    for address, kind in (("nowhere.invalid", NameUnknown), ("127.0.0.1:1", NothingSent)):
        with pytest.raises(NothingSent) as told:
            connections.exchange(Request("http", address, "GET", "/", {}), connect_seconds=3.0, answer_seconds=1.0)
        assert type(told.value) is kind
