"""What is remembered of notices: what was sent, how fast, and what has not arrived yet. Pure; every value is bounded.

A notice is in the outbox before it is posted and leaves it when it has arrived. Whoever is cut off in between leaves
it to a sweep: a fault may be told once more, never once less.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.records.notices.notice import Channel, Notice

#: Messages a minute to one channel: DingTalk blocks a robot for ten minutes beyond it.
MOST_A_MINUTE, MINUTE = 20, 60.0
#: The same refusal is reported again after this long. Seconds.
QUIET_SECONDS = 86_400.0
#: What failed longer ago than this is not worth telling any more. Seconds.
LATE_SECONDS = 21_600.0
MOST_KEYS, MOST_WAITING = 1_000, 50


class Waiting(NamedTuple):
    """A notice that has not reached a channel, when it was made, and from when on to try again (``time.time``)."""

    notice: Notice
    channel: str
    since: float
    not_before: float

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.notice.message.event_id, self.channel


class Post(NamedTuple):
    """A message to be posted, and what has arrived with it. Not ``admitted``: the channel has had enough for now."""

    notice: Notice
    channel: Channel
    parts: tuple[Waiting, ...]
    admitted: bool


class Outbox(NamedTuple):
    """``told``: keys and when; ``sent``: times of the last messages by channel; ``waiting``: what is to arrive yet.

    A channel is named by a digest: its address is a secret.
    """

    told: Mapping[str, float] = {}
    sent: Mapping[str, tuple[float, ...]] = {}
    waiting: tuple[Waiting, ...] = ()

    def known(self, now: float) -> frozenset[str]:
        """Return the keys of what was reported within the quiet time."""
        return frozenset(key for key, at in self.told.items() if 0 <= now - at < QUIET_SECONDS)

    def with_notices(
        self, notices: Iterable[Notice], channels: Iterable[Channel], now: float, lease: float
    ) -> "tuple[Outbox, tuple[Post, ...]]":
        """Take in what is to be told now, by this run for ``lease`` seconds; return the messages."""
        outbox, posts = self, []
        for notice in notices:
            outbox = outbox._replace(told={**outbox.told, **dict.fromkeys(notice.keys, now)})
            for channel in channels:
                part = Waiting(notice, digest(channel), now, now)
                outbox, post = outbox.with_post(notice, channel, (part,), now, lease)
                posts.append(post)
        return outbox.bounded(now), tuple(posts)

    def with_due(
        self, late: Callable[[list[Notice]], Notice], channels: Iterable[Channel], now: float, lease: float
    ) -> "tuple[Outbox, tuple[Post, ...]]":
        """Return what failed earlier and may be told now, as one message to each channel, made by ``late``."""
        outbox, posts = self.bounded(now), []
        for channel in channels:
            due = tuple(part for part in outbox.waiting if part.channel == digest(channel) and part.not_before <= now)
            if due:
                outbox, post = outbox.with_post(late([part.notice for part in due]), channel, due, now, lease)
                posts.append(post)
        return outbox, tuple(posts)

    def settled(self, arrived: Iterable[Post], failed: Iterable[tuple[Post, float]], now: float) -> "Outbox":
        """Forget what has arrived, and keep what has not, each to be tried again after its seconds."""
        done = {part.name for post in arrived for part in post.parts}
        again = [part._replace(not_before=now + wait) for post, wait in failed for part in post.parts]
        return self.with_waiting(again, done).bounded(now)

    def merged(self, other: "Outbox") -> "Outbox":
        """Return what both know."""
        told = {key: max(self.told.get(key, 0.0), other.told.get(key, 0.0)) for key in (*self.told, *other.told)}
        sent = {
            channel: _either(self.sent.get(channel, ()), other.sent.get(channel, ()))
            for channel in (*self.sent, *other.sent)
        }
        ours = {part.name for part in self.waiting}
        return Outbox(told, sent, (*self.waiting, *(part for part in other.waiting if part.name not in ours)))

    def with_post(
        self, notice: Notice, channel: Channel, parts: tuple[Waiting, ...], now: float, lease: float
    ) -> "tuple[Outbox, Post]":
        """Return what is remembered once a message goes out, or has to wait for the next minute."""
        name = digest(channel)
        sent = tuple(at for at in self.sent.get(name, ()) if 0 <= now - at < MINUTE)
        admitted = len(sent) < MOST_A_MINUTE
        wait = lease if admitted else MINUTE
        outbox = self.with_waiting([part._replace(not_before=now + wait) for part in parts])
        outbox = outbox._replace(sent={**self.sent, name: (*sent, now) if admitted else sent})
        return outbox, Post(notice, channel, parts, admitted)

    def with_waiting(self, parts: Iterable[Waiting], done: Iterable[tuple[str, str]] = ()) -> "Outbox":
        """Put ``parts`` into the place of what waits under their names, and forget what is ``done``."""
        parts = tuple(parts)
        gone = {*done, *(part.name for part in parts)}
        return self._replace(waiting=(*(part for part in self.waiting if part.name not in gone), *parts))

    def bounded(self, now: float) -> "Outbox":
        """Forget what is over; of too much the oldest goes."""
        fresh = sorted(
            ((key, at) for key, at in self.told.items() if 0 <= now - at < QUIET_SECONDS), key=lambda item: item[1]
        )
        sent = {
            channel: minute
            for channel, times in self.sent.items()
            if (minute := tuple(at for at in times if 0 <= now - at < MINUTE))
        }
        waiting = sorted(
            (part for part in self.waiting if now < part.since + LATE_SECONDS), key=lambda part: part.since
        )
        return Outbox(dict(fresh[-MOST_KEYS:]), sent, tuple(waiting[-MOST_WAITING:]))


def _either(times: tuple[float, ...], others: tuple[float, ...]) -> tuple[float, ...]:
    """Return the times that stand in one of them, each as often as there."""
    return tuple(sorted((Counter(times) | Counter(others)).elements())[-MOST_A_MINUTE:])


def digest(channel: Channel) -> str:
    """Return what names a channel where its address must not stand."""
    return sha256(f"{channel.service} {channel.url}".encode()).hexdigest()[:16]
