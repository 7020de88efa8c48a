"""Where one reboot stands, what a run may see of it, and what there is to do: the words of ``lifecycle``."""

from datetime import datetime, timedelta
from typing import Literal

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.model import Decision, Instance, InstanceAnswer
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.findings import Agent


class Observation(NamedTuple):
    """What has been seen of one instance since ECS accepted its reboot.

    ``since``: what its agent says after this was said after the restart. ``silent``: it had an agent, which has not
    spoken since.
    """

    went_down: bool = False
    up_since: datetime | None = None
    status: str = ""
    back_at: datetime | None = None
    since: datetime | None = None
    silent: bool = False

    @property
    def is_over(self) -> bool:
        """Return whether it is back, and its agent speaks where it had one: another look tells no more."""
        return self.back_at is not None and not self.silent


class Reboot(NamedTuple):
    """Where one reboot stands.

    ``may_ask``: ECS may be asked for it now. ``before``: the instance as it was shown before the first call that may
    have restarted it. ``lost``: what came in place of an answer to that call. ``watched``: what looks have shown since
    ECS accepted. ``entry``: what the ledger says, where a later run takes the reboot from there.
    """

    state: State | Literal["asked"]
    may_ask: bool = False
    before: Instance | None = None
    lost: CloudError | None = None
    watched: Observation = Observation()
    entry: Entry | None = None


#: A reboot that this run has claimed and not asked for.
CLAIMED = Reboot("claimed", may_ask=True)


def from_ledger(entry: Entry) -> Reboot:
    """Return where a reboot stands whose end is not known or was bad, for a later run."""
    return Reboot(entry.state, entry=entry)


class Asked(NamedTuple):
    """ECS is asked now; ``instance`` as it was last shown."""

    instance: Instance | None


class Answered(NamedTuple):
    """ECS answered for each instance; ``row`` None where it left this one out."""

    row: InstanceAnswer | None
    request_id: str


class Failed(NamedTuple):
    """The call gave no answer for each instance.

    ``room``: there is time for another try, and to learn what came of it. ``ambiguous``: a refusal may be about another
    instance of the call, or because of what an earlier call did. A ``dry_run`` has no effect.
    """

    error: CloudError
    room: bool
    ambiguous: bool
    dry_run: bool


class Looked(NamedTuple):
    """The instance as described after a call with no usable answer, None where nobody could look.

    ``last``: long enough after the call to show what came of it, or there is no time for another look.
    """

    instance: Instance | None
    room: bool
    last: bool


class DecidedAgain(NamedTuple):
    """The facts were read again, ``known`` being those before, and policy has decided on them."""

    known: Instance | None
    instance: Instance | None
    decision: Decision


class Ended(NamedTuple):
    """The run can't go on, for a reason of its own: the same event may be tried again."""

    code: Code
    reason: str


class Watched(NamedTuple):
    """The instance as described after ECS accepted."""

    instance: Instance


class Heard(NamedTuple):
    """What is known of the guest's agent."""

    agent: Agent


class TimeUp(NamedTuple):
    """Nobody watches any longer; ``accepted`` is when ECS accepted."""

    accepted: datetime


class Patience(NamedTuple):
    """How long to wait: ``holds`` until a run that claimed is over, ``hung_after`` until an instance must be up.

    ``observing``: nothing is ever restarted, so nothing is waited for beyond the run. ``finishes``: policy has what
    hangs finished by force, without a person.
    """

    holds: timedelta
    hung_after: timedelta
    observing: bool = False
    finishes: bool = False


class Swept(NamedTuple):
    """The instance as described by a later run; ``agent`` None where nothing is known of one."""

    instance: Instance
    patience: Patience
    agent: Agent | None = None


Seen = Asked | Answered | Failed | Looked | DecidedAgain | Ended | Watched | Heard | TimeUp | Swept


class Step(NamedTuple):
    """Where a reboot stands now, and what to do next.

    ``do``: `ask` ECS; `decide` again on facts read again; `glance`, look once, or `look` until it is long enough ago,
    for a sign of the reboot; `wait` for the answer or another look; `start` the instance; `finish` what hangs, where
    policy lets it; `rest`, as nothing is left to do. ``code`` and ``reason`` tell an end that is new; without a code
    there is nothing to record.
    """

    reboot: Reboot
    do: Literal["ask", "decide", "glance", "look", "wait", "start", "finish", "rest"]
    code: Code | None = None
    reason: str = ""
    retriable: bool = False

    @property
    def state(self) -> State:
        """Return what the ledger is to say."""
        return "claimed" if self.reboot.state == "asked" else self.reboot.state
