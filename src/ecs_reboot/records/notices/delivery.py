"""Notices on their way, beside the work: a thread for each channel, bounded in time; no reboot waits for one.

```
 reboots are out --> start(results): compose, admit, hand to the channels' threads --> watch, ship the records
                                                                                            |
 answer <-- records of the notices <-- finish(): waits for what is left of the time <-------'
```

A notice that fails changes nothing but its own record and the answer's `notices`; the sweep tries it again.
"""

import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from ecs_reboot.clock import Clock
from ecs_reboot.cloud.transport import AnswerLost, Connections, NothingSent
from ecs_reboot.records.notices import services
from ecs_reboot.records.notices.composition import Frame, compose, late
from ecs_reboot.records.notices.memory import Memory, Untold
from ecs_reboot.records.notices.notice import Channel, Failure, Notice
from ecs_reboot.records.notices.redaction import redacted
from ecs_reboot.records.result import Result

#: What one message may take: to connect, and then for its answer. Seconds.
CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 2.0
#: Failures of our own making.
TOO_MANY = Failure("too_many", "20 messages a minute went to this channel; told later", 60.0)
NOT_IN_TIME = Failure("no_answer", "the service did not answer in the time that was left")

#: Of this function instance, while it stays warm.
MEMORY = Memory()


class Delivered(NamedTuple):
    """One notice and one channel: failed, or told where ``failure`` is None."""

    notice: Notice
    channel: Channel
    failure: Failure | None


class NoticeDelivery:
    """The notices of one invocation."""

    def __init__(self, channels: Iterable[Channel], frame: Frame, clock: Clock, memory: Memory = MEMORY) -> None:
        self._channels, self._frame, self._clock, self._memory = tuple(channels), frame, clock, memory
        self._threads: dict[Channel, threading.Thread] = {}
        self._waiting: list[tuple[Notice, Channel]] = []
        self._delivered: list[Delivered] = []
        self._told: list[Delivered] = []

    def start(self, results: Iterable[Result]) -> None:
        """Tell what the results make worth telling. Returns at once."""
        now = self._now()
        for notice in compose(results, self._frame, self._memory.known(now)):
            self._memory.tell(notice.keys, now)
            for channel in self._channels:
                self._hand_over(notice, channel, now)

    def try_again(self) -> None:
        """Tell what failed earlier and may be told now, as one message to each channel. Returns at once."""
        now = self._now()
        untold: dict[Channel, list[Notice]] = {}
        for item in self._memory.take_untold(now):
            if item.channel in self._channels:
                untold.setdefault(item.channel, []).append(item.notice)
        for channel, notices in untold.items():
            self._hand_over(late(notices, self._frame), channel, now)

    def finish(self, seconds: float) -> list[Result]:
        """Wait for the threads, at most so long, and return one result for each notice and channel."""
        until = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        done, self._delivered = list(self._delivered), []
        answered = [(delivered.notice, delivered.channel) for delivered in done]
        done += [Delivered(*waiting, NOT_IN_TIME) for waiting in self._waiting if waiting not in answered]
        self._waiting = []
        now = self._now()
        for notice, channel, failure in done:
            if failure:
                self._memory.keep(Untold(notice, channel, now, now + failure.wait_seconds))
        self._told += done
        return [self._result(delivered) for delivered in done]

    def outcome(self) -> dict[str, Any]:
        """Return what the answer says: `told` or `failed`, how many messages arrived, and why others did not."""
        failed = [
            {"service": channel.service, "title": notice.message.title, "reason": failure.reason}
            for notice, channel, failure in self._told
            if failure
        ]
        told = len(self._told) - len(failed)
        return {"status": "failed" if failed else "told", "told": told, **({"failed": failed} if failed else {})}

    def _hand_over(self, notice: Notice, channel: Channel, now: float) -> None:
        self._waiting.append((notice, channel))
        if not self._memory.admit(channel, now):
            self._delivered.append(Delivered(notice, channel, TOO_MANY))
            return
        before = self._threads.get(channel)
        thread = threading.Thread(target=self._post, args=(notice, channel, now, before), daemon=True)
        self._threads[channel] = thread
        thread.start()

    def _post(self, notice: Notice, channel: Channel, now: float, before: threading.Thread | None) -> None:
        if before:
            before.join()
        failure = post(notice, channel, now)
        self._delivered.append(Delivered(notice, channel, failure))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _result(self, delivered: Delivered) -> Result:
        notice, channel, failure = delivered
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
