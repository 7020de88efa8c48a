"""Faults by declaration: what goes wrong, with which call, how often."""

from collections.abc import Iterable
from random import Random
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from localcloud.account.declaration_errors import DeclarationError, format_errors, nearest
from localcloud.account.limits import Throttle

Kind = Literal[
    "drop_before",
    "drop_after",
    "delay",
    "error",
    "throttle",
    "truncate",
    "not_json",
    "stale",
    "duplicate",
    "late",
    "batch",
    "late_effect",
]
# What happens to an event on its way from a trigger to a function, and to no API call.
OF_DELIVERY: frozenset[Kind] = frozenset({"duplicate", "late", "batch"})
DELIVERY = "Delivery"
# Whether the call has its effect although the fault spoils the answer; `before` may say otherwise where it is optional.
EFFECT_BY_DEFAULT: dict[Kind, bool] = {
    "drop_before": False,
    "drop_after": True,
    "delay": True,
    "error": False,
    "throttle": False,
    "truncate": True,
    "not_json": True,
    "stale": True,
    "duplicate": True,
    "late": True,
    "batch": True,
    "late_effect": False,
}
# What only some services can suffer: their reads may see what was true before.
_OF_SERVICES: dict[Kind, tuple[str, ...]] = {"stale": ("ecs", "sls", "fc")}
# The services and their actions. A test compares them with each service's own table.
ACTIONS: dict[str, tuple[str, ...]] = {
    "ecs": (
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeRegions",
        "RebootInstances",
        "RebootInstance",
        "StartInstances",
        "StartInstance",
        "StopInstances",
        "StopInstance",
        "TagResources",
        "UntagResources",
        "ListTagResources",
        "DescribeInstanceHistoryEvents",
        "DescribeInstancesFullStatus",
        "CreateSimulatedSystemEvents",
        "CancelSimulatedSystemEvents",
        "DescribeCloudAssistantStatus",
        "DescribeUserData",
        "DescribeDisks",
        "DescribeSnapshots",
        "GetInstanceConsoleOutput",
        "GetInstanceScreenshot",
        "DescribeZones",
        "DescribeInstanceTypes",
    ),
    "ess": (
        "DescribeScalingInstances",
        "DescribeScalingGroups",
        "SetInstancesProtection",
        "EnterStandby",
        "ExitStandby",
    ),
    "fc": (
        "InvokeFunction",
        "GetFunction",
        "ListFunctions",
        "GetAsyncInvokeConfig",
        "PutAsyncInvokeConfig",
        "DeleteAsyncInvokeConfig",
        "GetConcurrencyConfig",
        "PutConcurrencyConfig",
        "DeleteConcurrencyConfig",
        DELIVERY,
    ),
    "oss": (
        "ListBuckets",
        "PutBucket",
        "GetBucketAcl",
        "ListObjects",
        "ListObjectsV2",
        "PutObject",
        "HeadObject",
        "GetObject",
        "DeleteObject",
        "DeleteBucket",
    ),
    "ots": (
        "CreateTable",
        "DescribeTable",
        "UpdateTable",
        "ListTable",
        "DeleteTable",
        "GetRow",
        "PutRow",
        "UpdateRow",
        "DeleteRow",
        "BatchGetRow",
        "BatchWriteRow",
        "GetRange",
        "ListInstances",
    ),
    "mns": (
        "ReceiveMessage",
        "PeekMessage",
        "BatchReceiveMessage",
        "BatchPeekMessage",
        "DeleteMessage",
        "BatchDeleteMessage",
    ),
    "chat": ("dingtalk", "feishu", "wecom", "slack", "webhook"),
    "sls": (
        "DeleteLogStore",
        "DeleteProject",
        "GetLogStore",
        "GetLogs",
        "GetProject",
        "ListLogStores",
        "PutLogs",
    ),
    "ros": (
        "CreateStack",
        "UpdateStack",
        "DeleteStack",
        "GetStack",
        "ListStacks",
        "ListStackEvents",
        "ListStackResources",
        "GetTemplate",
        "ValidateTemplate",
        "PreviewStack",
    ),
    "sts": ("GetCallerIdentity", "AssumeRole"),
    "cms": ("DescribeMetricLast", "DescribeMetricRuleList", "DescribeMetricRuleTargets"),
    "ram": ("GetRole", "CreateRole", "AttachPolicyToRole", "CreateServiceLinkedRole"),
}
_NEEDS: dict[Kind, str] = {
    "delay": "seconds",
    "stale": "seconds",
    "late": "seconds",
    "batch": "seconds",
    "late_effect": "seconds",
}
_FIELDS_OF: dict[str, frozenset[Kind]] = {
    "before": frozenset({"delay", "error", "not_json"}),
    "seconds": frozenset({"delay", "stale", "duplicate", "late", "batch", "late_effect"}),
    "status": frozenset({"error", "throttle", "not_json"}),
    "code": frozenset({"error", "throttle"}),
    "message": frozenset({"error", "throttle"}),
    "retry_after_ms": frozenset({"error", "throttle"}),
}


class Fault(BaseModel):
    """One declared fault.

    It hits calls of ``action`` (``*`` = any) of ``service`` that name ``instance_id`` or, of Tablestore, a row with
    ``row`` in a column of its key (empty = any), after the first
    ``skip`` of them and ``times`` times (None = always), each with ``probability``. ``seconds`` are real seconds.
    ``before``: True holds back the effect (of a ``delay``: until the wait is over), False lets it happen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Literal["ecs", "sls", "fc", "ots", "ros", "sts", "cms", "ram", "chat", "ess", "oss", "mns"] = "ecs"
    action: str = "*"
    kind: Kind
    times: Annotated[int, Field(ge=1)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    instance_id: str = ""
    row: str = ""
    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    code: str = ""
    message: str = ""
    retry_after_ms: Annotated[int, Field(ge=1)] | None = None
    before: bool | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Fault":
        known = ACTIONS[self.service]
        if self.action not in ("*", *known):
            hint = nearest(self.action, known) or f"; known: *, {', '.join(known)}"
            raise ValueError(f"{self.service} has no action {self.action!r}{hint}")
        of_delivery = self.kind in OF_DELIVERY
        if of_delivery and self.service != "fc":
            raise ValueError(f"a {self.kind} fault is of deliveries to a function: say service 'fc'")
        if self.action != "*" and of_delivery != (self.action == DELIVERY):
            kinds = ", ".join(sorted(OF_DELIVERY))
            raise ValueError(f"a {self.kind} fault does not fit action {self.action!r}: of {DELIVERY} are {kinds}")
        if self.service not in _OF_SERVICES.get(self.kind, (self.service,)):
            services = ", ".join(_OF_SERVICES[self.kind])
            raise ValueError(f"a {self.kind} fault does not fit service {self.service!r}: it belongs to {services}")
        if self.row and self.service != "ots":
            raise ValueError("'row' means nothing but to service 'ots'")
        needed = _NEEDS.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"a {self.kind} fault needs {needed!r}")
        for name in sorted(self.model_fields_set & _FIELDS_OF.keys()):
            if self.kind not in _FIELDS_OF[name]:
                kinds = ", ".join(sorted(_FIELDS_OF[name]))
                raise ValueError(f"{name!r} means nothing to a {self.kind} fault: it belongs to {kinds}")
        if self.kind == "error" and not self.code and self.status is None:
            raise ValueError("an error fault needs 'code' (its status and message are looked up) or 'status'")
        return self

    @property
    def lets_effect_happen(self) -> bool:
        """Whether the call that this fault hits is carried out."""
        if self.kind == "delay" or self.before is None:
            return EFFECT_BY_DEFAULT[self.kind]
        return not self.before

    @property
    def is_of_one_instance(self) -> bool:
        """Whether this is an error of one instance or row among others, where the action answers for each by itself."""
        return self.kind == "error" and bool(self.instance_id or self.row)

    def hits(self, service: str, action: str, names: Iterable[str]) -> bool:
        """Return whether a call is one that this fault is about."""
        return (
            self.service == service
            and self.action in ("*", action)
            and (self.kind in OF_DELIVERY) == (action == DELIVERY)
            and (not self.instance_id or self.instance_id in names)
            and (not self.row or self.row in names)
        )


_DECLARATIONS = TypeAdapter(tuple[Fault, ...])


def parse(document: Any) -> tuple[Fault, ...]:
    """Build faults from parsed JSON, one object or a list; raises DeclarationError with a sentence for each mistake."""
    items = document if isinstance(document, list) else [document]
    try:
        return _DECLARATIONS.validate_python(items)
    except ValidationError as error:
        raise DeclarationError(
            format_errors(
                error,
                lambda loc: ": ".join([f"faults[{loc[0]}]", *(str(part) for part in loc[1:])]),
                lambda _loc: tuple(Fault.model_fields),
            )
        ) from None


class _Armed:
    """A declared fault and how often it was met and applied."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.met = 0
        self.applied = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.applied >= self.fault.times


class Faults:
    """The faults in force, in the order of their declaration.

    A call meets at most one fault that spoils its whole answer, the first that applies, and each error of one instance
    that it names. A spent or skipped fault lets the call pass on to the next, so that declarations form a sequence.
    A call beyond the limit of its minute meets that alone.
    """

    def __init__(self, declared: Iterable[Fault], random: Random, throttle: Throttle | None = None) -> None:
        self._random = random
        self._throttle = throttle
        self._lock = Lock()
        self._next_number = 1
        self._armed: list[_Armed] = []
        self.add(declared)

    def add(self, faults: Iterable[Fault]) -> tuple[int, ...]:
        """Declare more faults; returns their numbers."""
        with self._lock:
            added = [_Armed(number, fault) for number, fault in enumerate(faults, start=self._next_number)]
            self._next_number += len(added)
            self._armed.extend(added)
        return tuple(armed.number for armed in added)

    def remove(self, number: int | None = None) -> int:
        """Withdraw one fault, or all; returns how many there were."""
        with self._lock:
            kept = [] if number is None else [armed for armed in self._armed if armed.number != number]
            removed = len(self._armed) - len(kept)
            self._armed = kept
        return removed

    def take(self, service: str, action: str, names: tuple[str, ...] = ()) -> tuple[Fault, ...]:
        """Return the faults that a call meets now, and count them; ``names`` are of its instances or rows."""
        if self._throttle and action != DELIVERY and self._throttle.exceeds(service, action):
            throttled = {"service": service, "action": action, "kind": "throttle", "code": self._throttle.code()}
            return (Fault.model_validate(throttled),)
        if not self._armed:
            return ()
        taken: list[Fault] = []
        whole_answer_spoilt = False
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if armed.spent or not fault.hits(service, action, names):
                    continue
                if whole_answer_spoilt and not fault.is_of_one_instance:
                    continue
                armed.met += 1
                if armed.met <= fault.skip or (fault.probability < 1 and self._random.random() >= fault.probability):
                    continue
                armed.applied += 1
                taken.append(fault)
                whole_answer_spoilt = whole_answer_spoilt or not fault.is_of_one_instance
        return tuple(taken)

    def describe(self) -> list[dict[str, Any]]:
        """List the faults with their numbers and counts, for people and the admin pages."""
        with self._lock:
            return [
                {
                    "number": armed.number,
                    **armed.fault.model_dump(exclude_unset=True),
                    "met": armed.met,
                    "applied": armed.applied,
                }
                for armed in self._armed
            ]
