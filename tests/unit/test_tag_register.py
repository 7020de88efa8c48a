"""Reading a region's tags: as few pages as there can be, each asked for again by itself, throttling waited for."""

import pytest
from scripted_ecs import (
    FORBIDDEN,
    NOW,
    ONE,
    REGION,
    THROTTLED,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    instance,
)

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.tags import TagRegister


def fleet(tagged: int, others: int = 0) -> ScriptedEcs:
    """Instances with an entry, after others without."""
    names = [f"i-bp1n{number:010d}" for number in range(others + tagged)]
    text = {"ecs-reboot": "enabled", ledger.KEY: entry("back", ago=600)}
    plain = [instance(instance_id) for instance_id in names[:others]]
    return ScriptedEcs(*plain, *(instance(instance_id, tags=text) for instance_id in names[others:]))


def register(ecs: ScriptedEcs, clock: JumpingClock | None = None, seconds: float = 200.0) -> TagRegister:
    return TagRegister(ecs, deadline(seconds, clock), 2.0)


def test_a_page_shows_a_hundred_instances_however_many_tags_they_have() -> None:
    ecs = fleet(250, others=300)
    assert len(register(ecs).read(REGION).entries) == 250
    assert ecs.calls == ["entries"] * 3


def test_a_page_that_fails_is_asked_for_again_and_the_pages_before_it_are_kept() -> None:
    ecs = fleet(250)
    ecs.before["entries"] = [None, THROTTLED, THROTTLED, None]
    assert len(register(ecs).read(REGION).entries) == 250
    assert ecs.calls == ["entries"] * 5


def test_what_is_more_than_a_tag_finds_is_read_from_all_instances_and_from_then_on_at_once() -> None:
    ecs = fleet(12, others=3)
    ecs.page, ecs.most_tagged = 5, 1_000
    whole = register(ecs)
    assert len(whole.read(REGION).entries) == 12
    assert ecs.calls == ["entries"] * 3
    many = fleet(1_200, others=100)
    of_many = register(many)
    assert len(of_many.read(REGION).entries) == 1_200
    assert len(many.calls) == 10 + 13
    many.calls.clear()
    assert len(of_many.read(REGION).entries) == 1_200
    assert len(many.calls) == 13


def test_throttling_that_lasts_is_waited_for_until_the_next_minute() -> None:
    ecs, clock = fleet(150), JumpingClock()
    ecs.before["entries"] = [None, THROTTLED, THROTTLED, THROTTLED]
    assert len(register(ecs, clock).read(REGION).entries) == 150
    assert len(ecs.calls) == 5, "a throttled service is asked no more often than it takes to see that it lasts"
    next_minute = 60 - NOW.second
    assert next_minute <= clock.seconds < next_minute + 10


def test_throttling_ends_the_reading_at_once_where_the_deadline_comes_before_the_next_minute() -> None:
    ecs, clock = fleet(150), JumpingClock()
    ecs.before["entries"] = [None, *[THROTTLED] * 50]
    with pytest.raises(CloudError):
        register(ecs, clock, seconds=20.0).read(REGION)
    assert clock.seconds < 5


def test_no_page_is_read_after_the_deadline() -> None:
    ecs, clock = fleet(2_000), JumpingClock()
    ecs.before["entries"] = [lambda: clock.sleep(3)] * 20
    with pytest.raises(CloudError, match="deadline"):
        register(ecs, clock, seconds=10.0).read(REGION)
    assert clock.seconds == 12


def test_what_no_retry_mends_is_raised_at_once() -> None:
    ecs, clock = ScriptedEcs(instance(ONE), instance(TWO)), JumpingClock()
    ecs.before["entries"] = [FORBIDDEN]
    with pytest.raises(CloudError):
        register(ecs, clock).read(REGION)
    assert clock.seconds == 0
