"""The values that flow one way: event -> request -> instances -> decisions -> outcomes.

Every model is frozen and does no I/O. Models hold fields only: what makes a value valid is checked by the parser
that builds it (``triggers``, ``settings``, ``ecs``), so that a model is the same wherever it comes from and its schema
can be built ahead of time. Times are aware datetimes in UTC.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ecs_reboot.outcomes import Code


class Value(BaseModel):
    """A frozen value with a closed set of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(Value):
    """One instance that an event names: a well-formed ID and the region it is in."""

    instance_id: str
    region_id: str


class Selector(Value):
    """Instances chosen by what they are, in one region: all the given conditions hold (DescribeInstances filters)."""

    region_id: str
    tags: tuple[tuple[str, str], ...] = ()
    resource_group_id: str = ""
    name: str = ""


class Rolling(Value):
    """A rolling reboot of what a selector selects, a few at each tick.

    ``limit``: how many a tick may start. An instance is done when it started at or after ``since``, or where that is
    None, less than ``older_than_seconds`` ago.
    """

    limit: int
    since: datetime | None = None
    older_than_seconds: int = 0


class LedgerCommand(Value):
    """A request about the ledger or the records, not about a reboot, for one region.

    `reset`: clear the attempts of ``instance_ids``. `resume`: lift the region's suspension and storm. `verify`: find
    out what became of reboots that nobody watched to their end; of ``instance_ids``, or of all in the region. `digest`:
    count what the records say of the last days.
    """

    verb: Literal["reset", "resume", "verify", "digest"]
    trigger: str
    region_id: str
    instance_ids: tuple[str, ...] = ()
    reason: str = ""
    event_time: datetime | None = None


class Metric(Value):
    """The metric that an alarm fired on, and its condition, so that CloudMonitor can be asked whether it still holds.

    ``dimensions`` as CloudMonitor's query takes them; ``statistic`` is the value compared, such as `Average`.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    operator: Literal[">", ">=", "<", "<=", "==", "!="]
    threshold: float


class RebootRequest(Value):
    """One element of an event that positively asks for a reboot now.

    ``trigger`` is the way it came, outermost envelope first (``http>cms_threshold``); ``by_hand`` is true only for a
    request that a person wrote for this one call, which alone may override a soft guard. ``force`` is what the request
    asks for, None where it says nothing. ``fault_key`` names the fault, equal in every delivery of the same one.
    ``evidence`` says in one sentence what was recognised; ``metric`` is what fired, where the alarm names it whole.
    """

    trigger: str
    evidence: str
    targets: tuple[Target, ...] = ()
    selector: Selector | None = None
    rolling: Rolling | None = None
    reason: str = ""
    force: bool | None = None
    dry_run: bool = False
    override: tuple[str, ...] = ()
    by_hand: bool = False
    fault_key: str = ""
    metric: Metric | None = None
    event_time: datetime | None = None


class Ignored(Value):
    """An element that was understood and asks for nothing: a recovery, information, a kind that is not actionable."""

    code: Code
    reason: str
    instance_id: str = ""
    region_id: str = ""
    event_time: datetime | None = None


class Rejected(Value):
    """An element that is malformed, contradictory, masked or not allowed: ``path`` and ``value`` name the culprit."""

    code: Code
    reason: str
    path: str = ""
    value: str = ""
    instance_id: str = ""
    region_id: str = ""
    event_time: datetime | None = None


class ParsedEvent(Value):
    """What one event was found to say. An element of a batch is judged by itself, so all four may be present.

    ``over_http``: a caller waits for the answer. ``handed_over_by`` is the request ID of the HTTP invocation that
    handed the event to this one; empty for every other event.
    """

    trigger: str
    requests: tuple[RebootRequest, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    upkeep: tuple[LedgerCommand, ...] = ()
    over_http: bool = False
    handed_over_by: str = ""


class Instance(Value):
    """The facts of one instance as DescribeInstances gave them at ``read_at``."""

    instance_id: str
    region_id: str
    status: str
    name: str = ""
    resource_group_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    operation_locks: tuple[str, ...] = ()
    start_time: datetime | None = None
    expired_time: datetime | None = None
    auto_release_time: datetime | None = None
    read_at: datetime


class Decision(Value):
    """What policy says about one instance, with the sentence that explains it.

    ``retriable``: trying the same event again later can end otherwise.
    """

    instance_id: str
    region_id: str
    action: Literal["reboot", "skip"]
    code: Code
    reason: str
    force: bool = False
    retriable: bool = False


class InstanceAnswer(Value):
    """One row of the InstanceResponses of RebootInstances, StopInstances or StartInstances. ``code`` '200': success."""

    instance_id: str
    code: str
    message: str
    previous_status: str
    current_status: str


class RebootAnswer(Value):
    """What one of those calls answered: rows, or for a dry run that would go through none and ``dry_run_code``."""

    request_id: str
    instances: tuple[InstanceAnswer, ...]
    dry_run_code: str = ""
