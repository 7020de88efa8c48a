"""The ledger as a run needs it. Two stores: `tags` on the instances, and a table of Tablestore (``stores``).

Every method raises CloudError where the store can't be reached, unless it says otherwise. Decisions are not made here:
``obtain`` is given a pure judge and asks it about what was read, again after each lost race.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from ecs_reboot.ledger.entry import Entry, History, State
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.model import Instance
from ecs_reboot.named_tuple import NamedTuple


class Wanted(NamedTuple):
    """An instance that a run wants to reboot, as DescribeInstances showed it; ``group`` is a digest, '0' for none."""

    instance: Instance
    group: str

    @property
    def instance_id(self) -> str:
        """The instance's ID."""
        return self.instance.instance_id


class Judged(NamedTuple):
    """What the judge says: the claims to write, who is refused because of others, and who is first to see a storm."""

    claims: Mapping[str, Entry]
    crowded: tuple[str, ...] = ()
    storm: str = ""


Judge = Callable[[Mapping[str, History], RegionMemory, datetime], Judged]


class Lost(NamedTuple):
    """Why an instance that the judge allowed is not this run's.

    `own`: an earlier run of the same request claimed it and may have asked ECS: look at it again after ``wait``
    seconds, then obtain it with ``again``.
    """

    code: Literal["claimed_elsewhere", "ledger_unavailable", "tags_full", "deadline", "own"]
    reason: str
    entry: Entry | None = None
    wait: float = 0.0


class Obtained(NamedTuple):
    """``mine``: ECS may be asked for these, by this run alone. Those neither in it nor in ``lost`` the judge refused.

    ``unsettled``: refused because of others, of which one is claimed by a run that may have ended before it asked ECS.
    ``storms``: where this run may have left the mark of a storm that nobody was told of: instances, '' for the region.
    """

    mine: frozenset[str]
    lost: Mapping[str, Lost]
    unsettled: frozenset[str] = frozenset()
    storms: frozenset[str] = frozenset()


class OpenReboot(NamedTuple):
    """A claim whose end is not known, or a reboot that ended badly and may have been resolved since.

    Or one whose verdict nobody is known to have been told of: ``untold_since`` is then when it was written; where the
    store has no room for that, when the instance was claimed. Or a storm, alike: a table has it under no instance ('').
    """

    instance_id: str
    entry: Entry
    untold_since: datetime | None = None


class LedgerStore(Protocol):
    """The memory of one account, as one run of one request uses it."""

    def shown(self, instance: Instance) -> History:
        """Return what is known of an instance without a call."""

    def histories(self, region_id: str, instances: Sequence[Instance]) -> Mapping[str, History]:
        """Return what is known of each instance."""

    def obtain(
        self,
        region_id: str,
        wanted: Sequence[Wanted],
        judge: Judge,
        *,
        count: Callable[[], int] | None,
        dry_run: bool = False,
        again: frozenset[str] = frozenset(),
    ) -> Obtained:
        """Claim what the judge allows, so that no other run has it and no limit is passed.

        ``count`` says how many instances opted in, None where nobody needs to know. A dry run writes nothing.
        """

    def still_ours(self, region_id: str, instance_ids: Iterable[str]) -> frozenset[str]:
        """Return the instances for which ECS may be asked at this moment: right before each call to ECS."""

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:
        """Keep others from claiming what this run has claimed while its protection is taken back.

        Returns those whose claim still stands. What is not among them is another run's, and its duty too.
        """

    def record(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> None:
        """Write down what became of this run's claims. Never raises: without it a sweep finds out later.

        ``untold``: of these a person is to be told, which a sweep does unless this run says that it has (``told``).
        """

    def commit(self, region_id: str, states: Mapping[str, State]) -> frozenset[str]:
        """Write down what a crash must not forget, before ECS is asked; return the instances for which it stands."""

    def release(self, region_id: str, instance_ids: Iterable[str]) -> None:
        """Take back claims that led to no reboot. Never raises: what is left ends by itself."""


class LedgerMaintenance(Protocol):
    """The ledger as those who look after it need it: the sweep, and people."""

    def open_reboots(self, region_id: str, instance_ids: tuple[str, ...]) -> list[OpenReboot]:
        """Return what a sweep should look at: of the instances named, or of the whole region."""

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:
        """Keep others from claiming these while their protection is taken back; return those whose entry still stands.

        Who has judged before that can't claim any more, who judges after it has to wait.
        """

    def conclude(
        self, region_id: str, verdicts: Mapping[str, tuple[Entry, State]], untold: Collection[str] = ()
    ) -> frozenset[str]:
        """Write verdicts over the entries they were found for; return the instances whose entry was still that one.

        ``untold``: of these a person is to be told, which a later sweep does unless this run says that it has.
        """

    def told(self, region_id: str, states: Mapping[str, State]) -> None:
        """Take note that a person was told of these verdicts, or storms ('' for the region's), if they still stand."""

    def forget(self, region_id: str) -> frozenset[str]:
        """Remove what no longer matters, where the store does not do so itself; return the instances it was about.

        To be called after ``open_reboots`` of the whole region.
        """

    def reset(self, region_id: str, instance_ids: Sequence[str]) -> Mapping[str, str]:
        """Clear attempts; return what stood there, for those that had an entry, readable or not."""

    def resume(self, region_id: str) -> Mapping[str, str]:
        """Lift suspension and storm; return by instance ('' for the region) what was lifted."""

    def list(self, region_id: str) -> list[tuple[str, History]]:
        """Return all entries of a region for a person."""
