"""The fleet file: which instances an account has, in which state, and what goes wrong there. YAML or JSON."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from localcloud.account import history
from localcloud.account.declaration_errors import DeclarationError, format_errors, nearest
from localcloud.account.deviations import deviation
from localcloud.account.faults import ACTIONS, Fault
from localcloud.account.fleet_times import Moment
from localcloud.account.history import Attempt
from localcloud.account.regions import REGIONS
from localcloud.account.surroundings import AgentSpec, EventSpec, Health, MetricSpec, ScalingGroupSpec, SnapshotSpec
from localcloud.account.table_rules import MOST_TABLES, Network, instance_mistake, table_mistake
from localcloud.account.tag_rules import MAX_TAGS, key_mistake, value_mistake

Status = Literal["Pending", "Starting", "Running", "Stopping", "Stopped"]
Lock = Literal["security", "financial", "Recycling", "dedicatedhostfinancial", "refunded"]
ChargeType = Literal["PostPaid", "PrePaid"]
Deviation = Annotated[str, AfterValidator(deviation)]

DEFAULT_ACCOUNT = "1234567890123456"
DEFAULT_UPTIME = timedelta(days=30)
#: The bucket of evidence of a function that is not deployed.
EVIDENCE_BUCKET = "ecs-reboot-evidence"
_INSTANCE_ID = re.compile(r"i-[0-9a-z]{1,60}")


def _instance_id(value: str) -> str:
    if not _INSTANCE_ID.fullmatch(value):
        raise ValueError(f"{value!r} is not an instance ID: 'i-' and then lower-case letters and digits")
    return value


def _region_id(value: str) -> str:
    if value not in REGIONS:
        meant = nearest(value, tuple(REGIONS)) or "; see docs/develop/local-cloud.md"
        raise ValueError(f"{value!r} is not a region{meant}")
    return value


def _tags(value: dict[str, str]) -> dict[str, str]:
    if len(value) > MAX_TAGS:
        raise ValueError(f"{len(value)} tags, {MAX_TAGS} are allowed")
    # The platform's own tags (acs:...) can be declared, as its services set them; no call can.
    pairs = [(key.removeprefix("acs:"), text) for key, text in value.items()]
    wrong = [mistake for key, text in pairs if (mistake := key_mistake(key) or value_mistake(text))]
    if wrong:
        raise ValueError("; ".join(wrong))
    return value


def _limits(value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    for service, actions in value.items():
        if service not in ACTIONS:
            raise ValueError(f"{service!r} is not a service{nearest(service, tuple(ACTIONS)) or _known(ACTIONS)}")
        for action in actions:
            if ACTIONS[service] and action not in ACTIONS[service]:
                hint = nearest(action, ACTIONS[service]) or _known(ACTIONS[service])
                raise ValueError(f"{service} has no action {action!r}{hint}")
    return value


def _known(names: Iterable[str]) -> str:
    return f"; known: {', '.join(names)}"


def _metric(value: Any) -> Any:
    return {"value": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class InstanceSpec(BaseModel):
    """One instance as the fleet file declares it.

    ``reboot_seconds`` is how long a graceful reboot takes in cloud time. ``visible: false`` hides the instance from
    every API call, as missing permission does. ``hangs``: a graceful reboot or stop never leaves Stopping (a forced one
    does). ``stays_down``: a reboot ends in Stopped. ``attempts``: earlier reboots, as the function's ledger has them.
    ``agent``, ``metrics`` and what follows are what other services say of it; without them they have nothing to say.
    ``console``: the text on its console until its next start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_id: Annotated[str, AfterValidator(_instance_id)]
    region_id: Annotated[str, AfterValidator(_region_id)] = "cn-hangzhou"
    status: Status = "Running"
    instance_name: str = ""
    tags: Annotated[dict[str, str], AfterValidator(_tags)] = {}
    operation_locks: tuple[Lock, ...] = ()
    start_time: Moment | None = None
    resource_group_id: str = ""
    reboot_seconds: Annotated[float, Field(ge=0, le=86_400)] = 30.0
    visible: bool = True
    stays_down: bool = False
    hangs: bool = False
    expired_time: Moment | None = None
    auto_release_time: Moment | None = None
    zone_id: str = ""
    vpc_id: str = "vpc-bp1local0000000000000"
    private_ip: str = ""
    instance_charge_type: ChargeType = "PostPaid"
    attempts: tuple[Attempt, ...] = ()
    agent: AgentSpec | None = None
    health: Health = "OK"
    metrics: dict[str, Annotated[MetricSpec, BeforeValidator(_metric)]] = {}
    system_events: tuple[EventSpec, ...] = ()
    snapshots: tuple[SnapshotSpec, ...] = ()
    console: str = ""


class TablestoreSpec(BaseModel):
    """One instance of Tablestore with its tables: for each, its key columns with their types, in order.

    ``networks``: where calls may come from; a client that takes a bare loopback address counts as inside the VPC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_name: str = "ecs-rb"
    region_id: Annotated[str, AfterValidator(_region_id)] = "cn-hangzhou"
    networks: tuple[Network, ...] = ("VPC", "CLASSIC")
    tables: dict[str, dict[str, Literal["INTEGER", "STRING", "BINARY"]]] = {
        "ledger": {"region": "STRING", "row": "STRING"}
    }

    @model_validator(mode="after")
    def _makes_sense(self) -> "TablestoreSpec":
        if len(self.tables) > MOST_TABLES:
            raise ValueError(f"Number of tables exceeds the quota of {MOST_TABLES}.")
        of_tables = (table_mistake(name, list(key)) for name, key in self.tables.items())
        if mistake := next(filter(None, (instance_mistake(self.instance_name), *of_tables)), ""):
            raise ValueError(mistake)
        return self


class Fleet(BaseModel):
    """One account: its instances, the faults in force, and how the local cloud runs.

    ``time_scale``: seconds of cloud time per real second for state transitions. ``log_projects``: the log projects and
    their logstores. ``tablestore``: the instances of Tablestore with their tables. ``buckets``: the buckets of OSS, all
    in cn-hangzhou. ``latency_seconds``: real seconds that every call to every service takes on its way. ``limits``:
    calls a minute, for each service and action: ``{ecs: {DescribeInstances: 500}}``. ``deviations``: in what the local
    cloud is to differ from the documents. ``scaling_groups``: those of Auto Scaling, with their members.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = DEFAULT_ACCOUNT
    instances: tuple[InstanceSpec, ...] = ()
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    time_scale: Annotated[float, Field(gt=0)] = 1.0
    log_projects: dict[str, tuple[str, ...]] = {"ecs-reboot": ("records",)}
    tablestore: tuple[TablestoreSpec, ...] = (TablestoreSpec(),)
    buckets: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")], ...] = (EVIDENCE_BUCKET,)
    deviations: tuple[Deviation, ...] = ()
    latency_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
    limits: Annotated[dict[str, dict[str, Annotated[int, Field(ge=0)]]], AfterValidator(_limits)] = {}
    scaling_groups: tuple[ScalingGroupSpec, ...] = ()


def remembered(instances: Iterable[InstanceSpec], now: datetime) -> tuple[InstanceSpec, ...]:
    """Return the instances with their attempts written into the ledger's tag."""
    return tuple(
        spec.model_copy(update={"tags": {**spec.tags, history.TAG: text}})
        if (text := history.tag(spec.instance_id, spec.attempts, now))
        else spec
        for spec in instances
    )


def load(path: str | Path, now: datetime | None = None) -> Fleet:
    """Read a fleet file; relative times in it count from ``now``, or from now.

    Raises DeclarationError with every mistake in it, OSError if it can't be read, UnicodeDecodeError if it is no text.
    """
    file = Path(path)
    text = file.read_text(encoding="utf-8")
    return parse(_document(text, file), name=str(path), now=now or datetime.now(timezone.utc))


def parse(document: Any, *, name: str, now: datetime) -> Fleet:
    """Build a fleet from a parsed file; ``name`` stands in messages, relative times count from ``now``.

    Raises DeclarationError with one sentence for each mistake.
    """
    if not isinstance(document, dict):
        raise DeclarationError([f"{name}: the file holds {type(document).__name__}, not a mapping with 'instances'"])
    if isinstance(account := document.get("account"), int) and not isinstance(account, bool):
        document = {**document, "account": str(account)}
    mistakes = _twice(document.get("instances"), name)
    try:
        fleet = Fleet.model_validate(document, context={"now": now})
    except ValidationError as error:
        mistakes += format_errors(error, lambda loc: _place(document, loc, name), _fields)
        raise DeclarationError(mistakes) from None
    ids = {spec.instance_id for spec in fleet.instances}
    mistakes += [
        f"{name}: faults[{number}]: instance_id: the fleet has no {fault.instance_id!r}"
        for number, fault in enumerate(fleet.faults)
        if fault.instance_id and fault.instance_id not in ids
    ]
    members = [instance_id for group in fleet.scaling_groups for instance_id in group.instance_ids]
    mistakes += [
        f"{name}: scaling_groups: the fleet has no {member!r}" for member in dict.fromkeys(members) if member not in ids
    ]
    mistakes += [
        f"{name}: scaling_groups: {member} is in {n} groups" for member, n in Counter(members).items() if n > 1
    ]
    if mistakes:
        raise DeclarationError(mistakes)
    return fleet


def default() -> Fleet:
    """Return the small fleet of the demo: two web servers to reboot, and one of each kind that must be left alone."""
    opted_in = {"ecs-reboot": "enabled"}
    return Fleet(
        instances=(
            InstanceSpec(instance_id="i-bp1a2b3c4d5e6f7g8h9i", instance_name="web-01", tags={**opted_in, "app": "web"}),
            InstanceSpec(instance_id="i-bp1z9y8x7w6v5u4t3s2r", instance_name="web-02", tags={**opted_in, "app": "web"}),
            InstanceSpec(
                instance_id="i-bp1dbdbdbdbdbdbdbdb1",
                instance_name="db-01",
                tags={**opted_in, "app": "db"},
                operation_locks=("security",),
            ),
            InstanceSpec(
                instance_id="i-bp1batchbatchbatch01",
                instance_name="batch-01",
                status="Stopped",
                tags={**opted_in, "app": "batch"},
            ),
            InstanceSpec(instance_id="i-bp1legacylegacyleg01", instance_name="legacy-01", tags={"app": "legacy"}),
            InstanceSpec(
                instance_id="i-2zeapiapiapiapiapi01",
                region_id="cn-beijing",
                instance_name="api-01",
                tags={**opted_in, "app": "api"},
            ),
        )
    )


def _document(text: str, file: Path) -> Any:
    try:
        if file.suffix == ".json":
            return json.loads(text)
        import yaml  # noqa: PLC0415 - the default fleet needs no YAML, and a start without it is quicker

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise DeclarationError([f"{file}: this is not YAML: {' '.join(str(error).split())}"]) from None
    except json.JSONDecodeError as error:
        raise DeclarationError([f"{file}: this is not JSON: {error}"]) from None


def _twice(instances: Any, name: str) -> list[str]:
    if not isinstance(instances, list):
        return []
    ids = Counter(
        str(item.get("instance_id")) for item in instances if isinstance(item, dict) and "instance_id" in item
    )
    return [f"{name}: instance {i} is declared {n} times: an ID is unique" for i, n in ids.items() if n > 1]


def _place(document: dict[str, Any], loc: Sequence[int | str], name: str) -> str:
    words = [name]
    if len(loc) > 1 and loc[0] == "instances" and isinstance(loc[1], int):
        item = document["instances"][loc[1]]
        known = f" ({item['instance_id']})" if isinstance(item, dict) and "instance_id" in item else ""
        words.append(f"instances[{loc[1]}]{known}")
        loc = loc[2:]
    elif len(loc) > 1 and isinstance(loc[1], int):
        words.append(f"{loc[0]}[{loc[1]}]")
        loc = loc[2:]
    if loc:
        words.append(".".join(str(part) for part in loc))
    return ": ".join(words)


def _fields(loc: Sequence[int | str]) -> Sequence[str]:
    models: dict[str, type[BaseModel]] = {"instances": InstanceSpec, "faults": Fault, "tablestore": TablestoreSpec}
    return tuple((models.get(str(loc[0]), Fleet) if loc else Fleet).model_fields)
