"""Which instances a rolling reboot takes next."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some
from scripted_ecs import NOW, ONE, THREE, TWO, entry, instance

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, Rolling
from ecs_reboot.policy.rolling import Progress, progress, reason_to_wait

OLDER = Rolling(limit=1, older_than_seconds=86_400)


def shown(instance_id: str, text: str = "", **fields: object) -> Instance:
    tags = {"ecs-reboot": "enabled", **({ledger.KEY: text} if text else {})}
    return instance(instance_id, tags=tags, **fields)


def made(*found: Instance, rolling: Rolling = OLDER) -> Progress:
    histories = {shown.instance_id: ledger.of(shown, NOW) for shown in found}
    return progress(found, histories, rolling, NOW)


def test_done_is_what_started_since_or_is_young_enough() -> None:
    young = shown(ONE, start_time=NOW - timedelta(seconds=86_399))
    assert made(young).done == (ONE,)
    assert made(shown(ONE, start_time=NOW - timedelta(seconds=86_400))).left == (ONE,)
    since = Rolling(limit=1, since=NOW - timedelta(hours=1))
    assert made(shown(ONE, start_time=NOW - timedelta(hours=1)), rolling=since).done == (ONE,)
    assert made(shown(ONE, start_time=NOW - timedelta(hours=2)), rolling=since).left == (ONE,)


def test_one_that_is_claimed_and_not_up_again_holds_the_next() -> None:
    found = made(shown(ONE, entry(ago=60)), shown(TWO))
    assert found.under_way == (ONE,)
    assert reason_to_wait(found).startswith(f"waiting: {ONE}")


def test_one_that_stayed_down_or_hangs_stops_it() -> None:
    hangs = shown(ONE, entry("hung", ago=60), status="Stopping")
    for failed in (hangs, shown(ONE, entry("down", ago=60)), shown(ONE, entry(ago=60), status="Stopped")):
        found = made(failed, shown(TWO))
        assert found.failed == (ONE,)
        assert reason_to_wait(found).startswith("stopped")


def test_a_claim_that_led_nowhere_holds_it_up_for_an_hour_only() -> None:
    assert made(shown(ONE, entry(ago=3601))).left == (ONE,)
    assert made(shown(ONE, entry(ago=3601), status="Stopping")).under_way == (ONE,)


def test_when_all_are_done_nothing_is_left() -> None:
    assert reason_to_wait(made(shown(ONE, start_time=NOW))).startswith("nothing left to do")
    assert reason_to_wait(made(shown(ONE), shown(TWO))) == ""


def test_order_is_by_id_whatever_the_pages_were() -> None:
    assert made(shown(TWO), shown(ONE), shown(THREE)).left == tuple(sorted((ONE, TWO, THREE)))


@given(
    some.lists(
        some.tuples(
            some.sampled_from(("Running", "Stopping", "Stopped", "Starting")),
            some.integers(0, 200_000),
            some.sampled_from(("", "claimed", "back", "down", "refused", "reset", "garbage")),
            some.integers(0, 8000),
        ),
        max_size=8,
    )
)
def test_no_instance_is_in_two_places_and_only_running_ones_are_left(rows: list[tuple[str, int, str, int]]) -> None:
    found = []
    for number, (status, up, state, ago) in enumerate(rows):
        text = entry(state, ago=ago) if state not in ("", "garbage") else state
        found.append(shown(f"i-bp1x{number:08d}", text, status=status, start_time=NOW - timedelta(seconds=up)))
    result = made(*found)
    placed = result.done + result.under_way + result.failed + result.left
    assert len(placed) == len(set(placed))
    statuses = {shown.instance_id: shown.status for shown in found}
    assert all(statuses[instance_id] == "Running" for instance_id in result.left + result.done)
