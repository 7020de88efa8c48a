"""Notices on their way, beside the work: in threads of their own, bounded in time; no reboot waits for one.

```
 reboots are out --> start(results): compose, take into the outbox, post to each channel --> watch, ship the records
                                                     each answer: recorded at once                     |
 answer <-- records of the others <-- finish(): waits for what is left of the time, settles <---------'
```

A notice that fails changes nothing but its own record and the answer's `notices`; the sweep tries it again.
"""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ecs_reboot.clock import Clock
from ecs_reboot.cloud.transport import AnswerLost, Connections, NothingSent
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.records.notices import services
from ecs_reboot.records.notices.composition import Frame, compose, late
from ecs_reboot.records.notices.memory import Memory, OwnMemory
from ecs_reboot.records.notices.notice import Channel, Failure, Notice
from ecs_reboot.records.notices.outbox import MINUTE, Outbox, Post, Waiting, digest
from ecs_reboot.records.notices.redaction import redacted
from ecs_reboot.records.result import Result

#: What one message may take: to connect, and then for its answer. Seconds.
CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 2.0
#: Kept of the time at the end, for writing down what has arrived. Seconds.
SETTLE_SECONDS = 0.5
#: For how long a run keeps its notices from the sweep, where nobody says when it ends. Seconds.
LEASE_SECONDS = 90.0
#: Failures of our own making.
TOO_MANY = Failure("too_many", "20 messages a minute went to this channel; told later", MINUTE)
NOT_IN_TIME = Failure("no_answer", "the service did not answer in the time that was left")

#: Of this function instance, while it stays warm.
OWN = OwnMemory()


class Delivered(NamedTuple):
    """One message to one channel: failed, or told where ``failure`` is None."""

    post: Post
    failure: Failure | None


class NoticeDelivery:
    """The notices of one invocation. ``lease``: seconds after which this run is over."""

    def __init__(
        self,
        channels: Iterable[Channel],
        frame: Frame,
        clock: Clock,
        memory: Memory = OWN,
        *,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._channels, self._frame, self._clock = tuple(channels), frame, clock
        self._memory, self._lease = memory, lease
        # The last thread for each channel; under None the last one that takes something into the outbox.
        self._threads: dict[Channel | None, threading.Thread] = {}
        self._lock = threading.Lock()
        self._begun: frozenset[str] = frozenset()
        self._waiting: list[Post] = []
        self._delivered: list[Delivered] = []
        self._told: list[Delivered] = []
        self._record: Callable[[Result], object] = lambda _: None
        self._over = False

    def record_with(self, record: Callable[[Result], object]) -> None:
        """Call ``record`` with what came of each message, as soon as it is known: from a thread of the message's own.

        Until the end of ``finish``; an answer that comes later belongs to no run.
        """
        self._record = record

    def start(self, results: Iterable[Result]) -> None:
        """Tell what the results make worth telling. Returns at once."""
        results, now = tuple(results), self._now()
        known = self._memory.known(now) | self._begun
        notices = compose(results, self._frame, known)
        if not notices:
            return
        self._begun |= {key for notice in notices for key in notice.keys}
        expected = [
            Post(notice, channel, (Waiting(notice, digest(channel), now, now),), admitted=True)
            for notice in notices
            for channel in self._channels
        ]

        def taken(outbox: Outbox, at: float) -> tuple[Outbox, tuple[Post, ...]]:
            news = compose(results, self._frame, known | outbox.known(at))
            return outbox.with_notices(news, self._channels, at, self._lease)

        with self._lock:
            self._waiting += expected
        self._run(None, partial(self._take, taken, expected))

    def try_again(self) -> None:
        """Tell what failed earlier and may be told now, as one message to each channel. Returns at once."""

        def taken(outbox: Outbox, at: float) -> tuple[Outbox, tuple[Post, ...]]:
            return outbox.with_due(lambda notices: late(notices, self._frame), self._channels, at, self._lease)

        self._run(None, partial(self._take, taken, []))

    def finish(self, seconds: float) -> list[Result]:
        """Wait for the threads, at most so long, and return one result for each notice and channel."""
        until = time.monotonic() + seconds
        arrival = until - min(SETTLE_SECONDS, seconds / 4)
        for queue in (None, *self._channels):
            self._wait(queue, arrival)
        with self._lock:
            done, self._delivered, self._over = self._delivered, [], True
            answered = [delivered.post for delivered in done]
            unanswered = [Delivered(post, NOT_IN_TIME) for post in self._waiting if post not in answered]
            self._waiting = []
        for delivered in unanswered:
            self._record(self._result(delivered))
        done += unanswered
        if done:
            arrived = [post for post, failure in done if failure is None]
            failed = [(post, failure.wait_seconds) for post, failure in done if failure]
            self._run(None, partial(self._settle, arrived, failed))
            self._wait(None, until)
        self._told += done
        return [self._result(delivered) for delivered in done]

    def outcome(self) -> dict[str, Any]:
        """Return what the answer says: `told` or `failed`, how many messages arrived, and why others did not."""
        failed = [
            {"service": post.channel.service, "title": post.notice.message.title, "reason": failure.reason}
            for post, failure in self._told
            if failure
        ]
        told = len(self._told) - len(failed)
        return {"status": "failed" if failed else "told", "told": told, **({"failed": failed} if failed else {})}

    def _take(self, taken: Callable[[Outbox, float], tuple[Outbox, tuple[Post, ...]]], expected: list[Post]) -> None:
        """Take messages into the outbox, and post them."""
        posts = self._memory.change(taken, self._now())
        with self._lock:
            self._waiting = [post for post in self._waiting if post not in expected] + list(posts)
        for post in posts:
            if post.admitted:
                self._run(post.channel, partial(self._post, post))
            else:
                self._answered(Delivered(post, TOO_MANY))

    def _post(self, post_: Post) -> None:
        self._answered(Delivered(post_, post(post_.notice, post_.channel, self._now())))

    def _answered(self, delivered: Delivered) -> None:
        with self._lock:
            self._delivered.append(delivered)
            if not self._over:
                self._record(self._result(delivered))

    def _settle(self, arrived: list[Post], failed: list[tuple[Post, float]]) -> None:
        self._memory.change(lambda outbox, at: (outbox.settled(arrived, failed, at), None), self._now())

    def _run(self, queue: Channel | None, work: Callable[[], None]) -> None:
        """Do something in a thread, after what went before it for the same channel."""
        before = self._threads.get(queue)

        def in_turn() -> None:
            if before:
                before.join()
            work()

        thread = threading.Thread(target=in_turn, daemon=True)
        thread.start()
        self._threads[queue] = thread  # whoever waits for it finds it started

    def _wait(self, queue: Channel | None, until: float) -> None:
        thread = self._threads.get(queue)
        if thread:
            thread.join(max(0.0, until - time.monotonic()))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _result(self, delivered: Delivered) -> Result:
        (notice, channel, *_), failure = delivered
        message = notice.message
        ids = message.instance_ids
        return Result(
            instance_id=ids[0] if len(ids) == 1 else "",
            region_id=notice.region_id,
            action="skip",
            code="notice_failed" if failure else "notice_told",
            reason=f"{channel.service}: {failure.reason if failure else message.title}",
            api_code=failure.code if failure else "",
            trigger="notice",
            evidence="\n".join((message.title, *message.lines)),
            fault_key=" ".join(notice.keys),
        )


def post(notice: Notice, channel: Channel, unix_time: float) -> Failure | None:
    """Bring one message to one channel; return why it did not arrive, or may not have. Raises nothing.

    What did not leave is sent once more; an answer that was lost is not asked for again: the message may be there.
    """
    connections = Connections()
    try:
        service = services.of(channel)
        request = service.request(notice.message, channel, unix_time)
        try:
            answer = connections.exchange(request, connect_seconds=CONNECT_SECONDS, answer_seconds=ANSWER_SECONDS)
        except NothingSent:
            answer = connections.exchange(request, connect_seconds=CONNECT_SECONDS, answer_seconds=ANSWER_SECONDS)
        failure = service.failure(answer)
    except NothingSent as error:
        failure = Failure("not_sent", str(error))
    except AnswerLost as error:
        failure = Failure("no_answer", f"{error}; the message may have arrived")
    except Exception as error:  # noqa: BLE001 - no mistake in a notice may reach the work beside it
        failure = Failure("mistake", f"a mistake in the notice itself: {type(error).__name__}: {error}")
    finally:
        connections.close()
    if failure:
        failure = failure._replace(code=redacted(failure.code, channel), reason=redacted(failure.reason, channel))
    return failure
