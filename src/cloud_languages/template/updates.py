"""What an update can't change in place, and the way round: taken away and made again, without touching what is kept.

ROS's pages give for each property whether it can be updated ("Updatable", "Editable", "Allow updates"); the official
schema packages do not say it. A stack whose update changes a fixed property fails half-way. So it is found beforehand,
said in the plan, and done in two updates: one in which the resource is switched off, one in which it is there again.
A new logical ID would not do: ROS makes the new resource before it takes the old one away, and the two have one name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cloud_languages.template.document import Document, copied
from cloud_languages.template.expression import uses

Resources = Mapping[str, Mapping[str, Any]]

#: Type -> the properties that can't be updated, as paths. Of each type that the template has, after its page in ROS's
#: developer reference; of properties that the template does not set only what names the resource.
FIXED: Mapping[str, tuple[str, ...]] = {
    # 2026-06-27: RuleId No, Targets No.
    "ALIYUN::CMS::MetricRuleTargets": ("RuleId", "Targets"),
    # 2024-09-02: contact groups, escalations, metric, namespace Yes.
    "ALIYUN::CMS::ResourceMetricRule": ("RuleId",),
    # 2025-10-17: every property No.
    "ALIYUN::FC3::AsyncInvokeConfig": (
        "FunctionName",
        "AsyncTask",
        "DestinationConfig",
        "MaxAsyncEventAgeInSeconds",
        "MaxAsyncRetryAttempts",
    ),
    # 2026-06-27: both No.
    "ALIYUN::FC3::ConcurrencyConfig": ("FunctionName", "ReservedConcurrency"),
    # 2025-12-26: every property Yes.
    "ALIYUN::FC3::Function": (),
    # 2026-06-27: TriggerConfig, Description, InvocationRole, Qualifier Yes.
    "ALIYUN::FC3::Trigger": ("FunctionName", "TriggerType", "TriggerName", "SourceArn"),
    # 2025-08-01.
    "ALIYUN::MNS::Queue": ("QueueName",),
    "ALIYUN::MNS::Topic": ("TopicName",),
    # 2026-09-04.
    "ALIYUN::OSS::Bucket": ("BucketName",),
    # No copy of the page was found; what the service's UpdateInstance does not take (2026-01-20).
    "ALIYUN::OTS::InstanceV2": ("InstanceName", "ClusterType"),
    # help page 141683: ReservedThroughput, MaxVersions, DeviationCellVersionInSec, TimeToLive Yes.
    "ALIYUN::OTS::Table": ("InstanceName", "TableName", "PrimaryKey"),
    # 2026-02-07.
    "ALIYUN::RAM::Role": ("RoleName", "Description", "IgnoreExisting"),
    "ALIYUN::ROS::Sleep": (),
    # 2026-08-12 and AlibabaCloudDocs/ros: Detail.Configuration Yes, but of its lists no member of an item.
    "ALIYUN::SLS::Alert": (
        "Project",
        "Detail.Name",
        "Detail.Type",
        "Detail.State",
        "Detail.Configuration.QueryList",
        "Detail.Configuration.NotificationList",
    ),
    # 2026-06-27.
    "ALIYUN::SLS::Dashboard": ("ProjectName", "DashboardName"),
    # 2026-08-10.
    "ALIYUN::SLS::Index": ("ProjectName", "LogstoreName"),
    # 2026-06-27.
    "ALIYUN::SLS::Logstore": ("ProjectName", "LogstoreName", "EncryptConf"),
    "ALIYUN::SLS::Project": ("Name",),
}
#: What holds something that would be lost, or that others rest on: never taken away to be made again.
HOLDS = (
    "ALIYUN::FC3::Function",
    "ALIYUN::MNS::Queue",
    "ALIYUN::OSS::Bucket",
    "ALIYUN::OTS::InstanceV2",
    "ALIYUN::OTS::Table",
    "ALIYUN::RAM::Role",
    "ALIYUN::SLS::Index",
    "ALIYUN::SLS::Logstore",
    "ALIYUN::SLS::Project",
)


class FixedChange(NamedTuple):
    """A property that an update would have to change and can't."""

    name: str
    type: str
    path: str

    @property
    def can_be_remade(self) -> bool:
        """Whether the resource may be taken away and made again."""
        return self.type not in HOLDS


def fixed_changes(before: Resources, after: Resources) -> Iterator[FixedChange]:
    """Yield the fixed properties that differ, of resources that stay; their functions are evaluated alike."""
    for name, made in after.items():
        old = before.get(name)
        if old is None or old["Type"] != made["Type"]:
            continue
        for path in differing(made["Type"], old["Properties"], made["Properties"]):
            yield FixedChange(name, made["Type"], path)


def differing(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of a resource's fixed properties that differ."""
    for path in FIXED[kind]:
        if _at(before, path) != _at(after, path):
            yield path


def switched_off(document: Document, names: Iterable[str]) -> Document:
    """Return the template with some resources, and the outputs that need them, under a condition that never holds."""
    own: Document = copied(document)
    off = set(names)
    for section in ("Resources", "Outputs"):
        for name, declaration in own.get(section, {}).items():
            needs = {use.name for use in uses(declaration.get("Value"), "")} if section == "Outputs" else {name}
            if needs & off:
                declaration["Condition"] = _never(own, section, name, declaration.get("Condition"))
    return own


def _never(document: Document, section: str, name: str, otherwise: str | None) -> str:
    """Declare a condition that does not hold; the one of before stays in use within it."""
    own = f"Without{section}{name}"
    never = {"Fn::Equals": ["off", "on"]}
    document.setdefault("Conditions", {})[own] = {"Fn::And": [otherwise, never]} if otherwise else never
    return own


def _at(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
