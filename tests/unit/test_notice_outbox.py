"""What is remembered of notices: told once, twenty a minute, kept until it has arrived; alone and in the table."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_ecs import REGION, JumpingClock
from scripted_table import BUSY, NO_ANSWER, NO_RIGHT, ScriptedTable

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.records.notices import outbox_row
from ecs_reboot.records.notices.memory import OwnMemory
from ecs_reboot.records.notices.notice import Channel, Message, Notice
from ecs_reboot.records.notices.outbox import (
    LATE_SECONDS,
    MINUTE,
    MOST_A_MINUTE,
    MOST_KEYS,
    MOST_WAITING,
    QUIET_SECONDS,
    Outbox,
    Post,
    digest,
)
from ecs_reboot.records.notices.table_memory import CHANGE_SECONDS, TableMemory

DING, SLACK = Channel("dingtalk", "https://x/secret-a"), Channel("slack", "https://x/secret-b")
LEASE = 90.0


def notice(name: str, *keys: str) -> Notice:
    message = Message(
        "not_back", f"{name} did not come back", ("why",), "https://logs", "Records", "/here", name, (name,)
    )
    return Notice(message, REGION, keys or (name,))


def joined(notices: list[Notice]) -> Notice:
    return notice("+".join(notice.message.event_id for notice in notices))


def titles(posts: tuple[Post, ...]) -> list[str]:
    return [post.notice.message.event_id for post in posts]


def test_what_was_told_is_known_for_the_quiet_time_and_not_without_bound() -> None:
    outbox, _ = Outbox().with_notices([notice("n", "a", "b")], [DING], 1000.0, LEASE)
    assert outbox.known(1000.0 + QUIET_SECONDS - 1) == {"a", "b"}
    assert outbox.known(1000.0 + QUIET_SECONDS) == frozenset()
    outbox, _ = outbox.with_notices([notice("m", *map(str, range(5000)))], [DING], 1001.0, LEASE)
    assert len(outbox.known(1001.0)) == MOST_KEYS


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from((DING, SLACK))), max_size=120))
def test_no_minute_holds_more_than_twenty_messages_to_a_channel(gaps: list[tuple[float, Channel]]) -> None:
    outbox, now, admitted = Outbox(), 0.0, {DING: [], SLACK: []}  # type: ignore[var-annotated]  # times
    for number, (gap, channel) in enumerate(gaps):
        now += gap
        outbox, (post,) = outbox.with_notices([notice(str(number))], [channel], now, LEASE)
        if post.admitted:
            admitted[channel].append(now)
    for times in admitted.values():
        assert all(sum(start <= at < start + MINUTE for at in times) <= MOST_A_MINUTE for start in times)
    assert sum(map(len, admitted.values())) >= min(len(gaps), MOST_A_MINUTE)


def test_what_is_posted_stays_in_the_outbox_until_it_has_arrived() -> None:
    outbox, posts = Outbox().with_notices([notice("n")], [DING, SLACK], 0.0, LEASE)
    to_ding, to_slack = posts
    assert outbox.with_due(joined, [DING, SLACK], LEASE - 1, LEASE)[1] == (), "another run is at it"
    settled = outbox.settled([to_ding], [(to_slack, 600.0)], 1.0)
    assert settled.with_due(joined, [DING, SLACK], 600.0, LEASE)[1] == ()
    late, (post,) = settled.with_due(joined, [DING, SLACK], 601.0, LEASE)
    assert (post.channel, titles((post,))) == (SLACK, ["n"])
    assert late.with_due(joined, [DING, SLACK], 602.0, LEASE)[1] == (), "two sweeps at once tell it once"
    assert late.settled([post], [], 603.0).waiting == ()
    # The run that died tells nobody what arrived: all of it is sent again.
    assert [post.channel for post in outbox.with_due(joined, [DING, SLACK], LEASE, LEASE)[1]] == [DING, SLACK]


def test_what_failed_is_one_message_and_is_too_late_to_tell_after_a_while_however_often_it_was_tried() -> None:
    outbox, posts = Outbox().with_notices([notice("n"), notice("m")], [DING], 0.0, LEASE)
    outbox = outbox.settled([], [(post, 0.0) for post in posts], 1.0)
    outbox, (post,) = outbox.with_due(joined, [DING], 1.0, LEASE)
    assert (titles((post,)), len(post.parts)) == (["n+m"], 2)
    outbox = outbox.settled([], [(post, 0.0)], LATE_SECONDS - 10)
    assert len(outbox.with_due(joined, [DING], LATE_SECONDS - 1, LEASE)[1]) == 1
    assert outbox.with_due(joined, [DING], LATE_SECONDS, LEASE) == (outbox._replace(told=outbox.told, waiting=()), ())


def test_of_too_much_that_waits_the_oldest_goes() -> None:
    outbox = Outbox()
    for number in range(MOST_WAITING + 5):
        outbox, posts = outbox.with_notices([notice(str(number))], [DING], MINUTE * number, LEASE)
        outbox = outbox.settled([], [(posts[0], 0.0)], MINUTE * number)
    assert [part.notice.message.event_id for part in outbox.waiting] == [str(n) for n in range(5, MOST_WAITING + 5)]


texts = st.text(max_size=20)
notices = st.builds(
    Notice,
    st.builds(
        Message, st.sampled_from(("digest", "not_back")), texts, st.lists(texts, max_size=3).map(tuple), texts, texts,
        texts, texts, st.lists(texts, max_size=3).map(tuple),
    ),
    texts,
    st.lists(texts, max_size=3).map(tuple),
)  # fmt: skip


@given(st.lists(notices, max_size=4), st.floats(0, 2e9))
def test_a_row_says_what_it_was_given_and_no_address(made: list[Notice], now: float) -> None:
    outbox, _ = Outbox().with_notices(made, [DING, SLACK], now, LEASE)
    columns = outbox_row.columns(outbox)
    assert outbox_row.read(columns) == outbox
    assert not any(channel.url in str(columns) for channel in (DING, SLACK))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"told": "{}"},
        {"told": "[]", "sent": "{}", "waiting": "[]"},
        {"told": "{}", "sent": "{}", "waiting": "[[1]]"},
        {"told": 1, "sent": 2, "waiting": 3},
    ],
)
def test_a_row_that_can_not_be_read_is_an_empty_outbox(row: dict[str, object]) -> None:
    assert outbox_row.read(row) == Outbox()


@dataclass
class Instances:
    """Function instances that share a table; each has a memory of its own as well."""

    clock: JumpingClock = field(default_factory=JumpingClock)

    def __post_init__(self) -> None:
        self.table = ScriptedTable(self.clock)

    def one(self, run: str, *, stack: str = "one") -> TableMemory:
        return TableMemory(
            lambda _: self.table, "ledger", self.clock, OwnMemory(), region_id=REGION, stack=stack, run=run
        )  # fmt: skip

    def row(self) -> Outbox:
        row = self.table.row("n#one")
        return outbox_row.read(row.columns if row else {})


def tell(memory: TableMemory, *names: str) -> list[str]:
    """Have an instance tell what nobody has told yet; return what it posts."""

    def taken(outbox: Outbox, at: float) -> tuple[Outbox, tuple[Post, ...]]:
        known = outbox.known(at)
        return outbox.with_notices([notice(name) for name in names if name not in known], [DING], at, LEASE)

    return [
        post.notice.message.event_id for post in memory.change(taken, memory._clock.now().timestamp()) if post.admitted
    ]


def test_what_one_instance_told_no_other_tells_and_other_stacks_do_not_mind() -> None:
    here = Instances()
    assert tell(here.one("a"), "n") == ["n"]
    assert tell(here.one("b"), "n", "m") == ["m"]
    assert tell(here.one("c", stack="two"), "n") == ["n"]


def test_all_instances_share_twenty_messages_a_minute() -> None:
    here = Instances()
    told = [tell(here.one(str(number)), str(number)) for number in range(25)]
    assert sum(map(bool, told)) == MOST_A_MINUTE
    assert len(here.row().waiting) == 25
    here.clock.sleep(MINUTE)
    assert tell(here.one("later"), "m") == ["m"]


def test_of_two_at_once_one_decides_again_with_what_the_other_wrote() -> None:
    here, told = Instances(), []
    here.table.before["n#"] = [lambda: told.append(tell(here.one("faster"), "n"))]
    assert tell(here.one("slower"), "n", "m") == ["m"]
    assert told == [["n"]]


@pytest.mark.parametrize("error", [BUSY, NO_ANSWER, NO_RIGHT])
def test_without_the_table_an_instance_goes_by_what_it_knows_and_hands_it_in_later(error: CloudError) -> None:
    here = Instances()
    memory = here.one("a")
    assert tell(memory, "n") == ["n"]
    here.table.before["read"] = [error] * 1000
    assert tell(memory, "n", "m") == ["m"], "it remembers what it has read"
    assert here.clock.elapsed() <= CHANGE_SECONDS + 0.1
    here.table.before.clear()
    assert tell(memory, "o") == ["o"]
    assert here.row().known(here.clock.now().timestamp()) == {"n", "m", "o"}
    assert {part.notice.message.event_id for part in here.row().waiting} == {"n", "m", "o"}
    assert tell(here.one("b"), "m") == []


def test_a_sweep_that_finds_nothing_writes_nothing() -> None:
    here = Instances()
    due: Callable[[Outbox, float], tuple[Outbox, tuple[Post, ...]]] = lambda outbox, at: outbox.with_due(  # noqa: E731
        joined, [DING], at, LEASE
    )
    assert here.one("sweep").change(due, 0.0) == ()
    assert here.table.calls == ["read"]


def test_what_one_instance_failed_to_tell_another_finds() -> None:
    here = Instances()
    memory = here.one("a")
    assert tell(memory, "n") == ["n"]
    here.clock.sleep(LEASE)
    (post,) = here.one("sweep").change(lambda outbox, at: outbox.with_due(joined, [DING], at, LEASE), 0.0)
    assert (post.notice, post.channel) == (notice("n"), DING)
    assert digest(DING) in here.row().sent
