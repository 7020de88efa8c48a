"""The ledger's tags of a region, written so that no write rests on an old reading.

Tags know no compare-and-set. Two rules stand in for it (docs/understand/safety.md): a write is sent within half the
settle time after the reading it rests on began, and a claim counts once it has stood for the whole of it. So whoever
could not see a claim has written over it, or not at all, before the claim counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import BATCH, MOST_TAGGED, EcsApi, TagPage, batches
from ecs_reboot.cloud.errors import NotSent
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.named_tuple import NamedTuple


class LedgerSnapshot(NamedTuple):
    """The entries of a region by instance ID, and when reading them began (``Clock.elapsed``)."""

    entries: dict[str, str]
    began: float


class Change(NamedTuple):
    """An entry that was written, and what stood there before ('' for nothing)."""

    before: str
    after: str


class TagRegister:
    """Reads and writes entries. Every method raises CloudError.

    ``settle_seconds``: how long a claim stands before it counts; 0 for no such rule, and no bound on writes.
    """

    def __init__(self, ecs: EcsApi, deadline: Deadline, settle_seconds: float, key: str = ledger.KEY) -> None:
        self._ecs, self._deadline, self._settle_seconds, self._key = ecs, deadline, settle_seconds, key
        # Whether there are more entries than can be found by their tag.
        self._many = False

    def read(self, region_id: str, deadline: Deadline | None = None) -> LedgerSnapshot:
        """Read all entries of a region. A page that fails is asked for again, and the pages before it are kept."""
        deadline, began = deadline or self._deadline, self._deadline.clock.elapsed()
        entries: dict[str, str] = {} if self._many else self._pages(region_id, deadline, whole=False)
        self._many = self._many or len(entries) >= MOST_TAGGED
        if self._many:
            entries = self._pages(region_id, deadline, whole=True)
        return LedgerSnapshot(entries, began)

    def _pages(self, region_id: str, deadline: Deadline, *, whole: bool) -> dict[str, str]:
        pages = retry.in_time(self._pages_of(region_id, deadline, whole=whole), deadline, "DescribeInstances")
        return {instance_id: text for page in pages for instance_id, text in page.values}

    def _pages_of(self, region_id: str, deadline: Deadline, *, whole: bool) -> Iterator[TagPage]:
        start: str | None = ""
        while start is not None:
            ask = partial(self._ecs.tag_page, region_id, self._key, start, whole=whole)
            page = retry.call_idempotent(ask, deadline)
            yield page
            start = page.rest or None

    def claim(
        self, region_id: str, values: Mapping[str, str], judged: Mapping[str, str], since: float
    ) -> frozenset[str]:
        """Write each value whose instance still has the entry that was judged; return the instances of the others.

        ``judged`` was read from ``since`` on. In a large region that may be too long ago to write upon; then the
        entries of the instances themselves are read again, which takes one call for many.
        """
        missed: set[str] = set()
        for part in batches(values, ledger.MOST_RESOURCES):
            began, changed = since, set[str]()
            if self._settle_seconds and self._deadline.clock.elapsed() - since > self._settle_seconds / 4:
                reading = self._read_of(region_id, part)
                began = reading.began
                changed = {name for name in part if reading.entries.get(name, "") != judged.get(name, "")}
            unchanged = {instance_id: values[instance_id] for instance_id in part if instance_id not in changed}
            missed |= changed | self.write(region_id, unchanged, began)
        return frozenset(missed)

    def write(
        self, region_id: str, values: Mapping[str, str], since: float, deadline: Deadline | None = None
    ) -> frozenset[str]:
        """Write entries that rest on a reading begun at ``since``, those alike together.

        Returns the instances that were not written because that was too long ago. A repeated write changes nothing, so
        it may be tried again.
        """
        alike: dict[str, list[str]] = {}
        for instance_id, value in values.items():
            alike.setdefault(value, []).append(instance_id)
        late: set[str] = set()
        for value, ids in alike.items():
            for part in batches(ids, ledger.MOST_RESOURCES):
                room = self._room(since, deadline or self._deadline)
                if room.left():
                    retry.call_idempotent(partial(self._ecs.set_tag, region_id, part, self._key, value), room)
                else:
                    late.update(part)
        return frozenset(late)

    def change(
        self,
        region_id: str,
        instance_ids: Iterable[str],
        change: Callable[[str, str], str | None],
        deadline: Deadline | None = None,
    ) -> dict[str, Change]:
        """Put ``change(instance_id, entry)`` in the place of entries ('' where there is none), None to leave one.

        Reads the entries again as often as it takes: of many instances from the region's list, which shows as many a
        call. Returns what was written.
        """
        done: dict[str, Change] = {}
        ids = tuple(instance_ids)
        for part in batches(ids, ledger.MOST_RESOURCES if len(ids) <= BATCH else len(ids)):
            left = part
            while left:
                many = len(left) > BATCH
                reading = self.read(region_id, deadline) if many else self._read_of(region_id, left, deadline)
                before = {instance_id: reading.entries.get(instance_id, "") for instance_id in left}
                after = {
                    instance_id: text
                    for instance_id in left
                    if (text := change(instance_id, before[instance_id])) is not None
                }
                late = self.write(region_id, after, reading.began, deadline)
                if late == after.keys() and late:
                    raise NotSent("TagResources", "reading and writing take too long (CLAIM_SETTLE_SECONDS)")
                done |= {
                    instance_id: Change(before[instance_id], text)
                    for instance_id, text in after.items()
                    if instance_id not in late
                }
                left = tuple(instance_id for instance_id in left if instance_id in late)
        return done

    def _read_of(
        self, region_id: str, instance_ids: tuple[str, ...], deadline: Deadline | None = None
    ) -> LedgerSnapshot:
        """Read the entries of at most 100 instances, from what describing them shows."""
        return retry.call_idempotent(
            lambda: LedgerSnapshot(
                began=self._deadline.clock.elapsed(),
                entries={
                    instance.instance_id: dict(instance.tags).get(self._key, "")
                    for instance in self._ecs.describe(region_id, instance_ids)
                },
            ),
            deadline or self._deadline,
        )

    def remove(self, region_id: str, judged: Mapping[str, str]) -> frozenset[str]:
        """Take away entries that still are what was judged; return the instances whose entries are gone.

        Removing is a write like any other: it is sent within half the settle time after the instances' own entries were
        read once more, so whoever claims one of them meanwhile sees in time that the claim is gone, and does not ask
        ECS. Without a settle time nothing is removed.
        """
        gone: set[str] = set()
        for part in batches(judged if self._settle_seconds else (), ledger.MOST_RESOURCES):
            reading = self._read_of(region_id, part)
            same = tuple(name for name in part if reading.entries.get(name, "") == judged[name])
            room = self._room(reading.began, self._deadline)
            if same and room.left():
                retry.call_idempotent(partial(self._ecs.remove_tag, region_id, same, self._key), room)
                gone.update(same)
        return frozenset(gone)

    def settle(self) -> None:
        """Wait until what was just written counts. Raises NotSent where the deadline leaves no room for that."""
        if self._settle_seconds and not self._deadline.wait(self._settle_seconds):
            raise NotSent(
                "DescribeInstances", "the deadline leaves no time for a claim to settle (CLAIM_SETTLE_SECONDS)"
            )

    def _room(self, since: float, deadline: Deadline) -> Deadline:
        """Return by when a write that rests on a reading begun at ``since`` must be on its way."""
        if not self._settle_seconds:
            return deadline
        bound = since + self._settle_seconds / 2 - deadline.clock.elapsed()
        return Deadline(deadline.clock, min(bound, deadline.left()))
