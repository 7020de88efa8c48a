"""The rights that a deployer needs for each resource: ROS makes everything with the rights of whoever asks for it.

One row for each call that ROS makes behind a resource type: the action, and what it is about, filled in from the
resource's properties. The names are those of the services' RAM tables; where a table could not be read, the call's
own name (docs/understand/unverified.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Properties = Mapping[str, Any]


class Needed(NamedTuple):
    """One right that somebody needs: on what, and what RAM's condition keys say then."""

    action: str
    arn: str
    circumstances: Mapping[str, str] = {}


class _Rights(NamedTuple):
    """The actions of one kind of resource, separated by spaces, by what is done to it; ``on`` is their resource."""

    on: str
    create: str
    update: str = ""
    delete: str = ""


_LOG = "acs:log:{region}:{account}:project/"
_FUNCTION = "acs:fc:{region}:{account}:functions/{FunctionName}"
_ROLE = "acs:ram::{account}:role/{RoleName}"
_QUEUE, _TOPIC = "acs:mns:{region}:{account}:/queues/{QueueName}", "acs:mns:{region}:{account}:/topics/{TopicName}"
_INSTANCE = "acs:ots:{region}:{account}:instance/{InstanceName}"
_BUS_RULES = "acs:eventbridge:{region}:{account}:eventbus/default/rule/*"

_BY_TYPE: Mapping[str, tuple[_Rights, ...]] = {
    "ALIYUN::CMS::MetricRuleTargets": (
        _Rights("*", "cms:PutMetricRuleTargets cms:DescribeMetricRuleTargets", "", "cms:DeleteMetricRuleTargets"),
    ),
    "ALIYUN::CMS::ResourceMetricRule": (
        _Rights(
            "*",
            "cms:PutResourceMetricRule cms:DescribeMetricRuleList",
            "cms:PutResourceMetricRule",
            "cms:DeleteMetricRules",
        ),
    ),
    "ALIYUN::FC3::AsyncInvokeConfig": (
        _Rights(_FUNCTION, "fc:PutAsyncInvokeConfig fc:GetAsyncInvokeConfig", "", "fc:DeleteAsyncInvokeConfig"),
    ),
    "ALIYUN::FC3::ConcurrencyConfig": (
        _Rights(_FUNCTION, "fc:PutConcurrencyConfig fc:GetConcurrencyConfig", "", "fc:DeleteConcurrencyConfig"),
    ),
    "ALIYUN::FC3::Function": (
        _Rights(_FUNCTION, "fc:CreateFunction fc:GetFunction", "fc:UpdateFunction", "fc:DeleteFunction"),
    ),
    "ALIYUN::FC3::Trigger": (
        _Rights(
            _FUNCTION + "/triggers/{TriggerName}",
            "fc:CreateTrigger fc:GetTrigger",
            "fc:UpdateTrigger",
            "fc:DeleteTrigger",
        ),
    ),
    "ALIYUN::MNS::Queue": (_Rights(_QUEUE, "mns:CreateQueue mns:GetQueueAttributes", "", "mns:DeleteQueue"),),
    "ALIYUN::MNS::Topic": (_Rights(_TOPIC, "mns:CreateTopic mns:GetTopicAttributes", "", "mns:DeleteTopic"),),
    "ALIYUN::OSS::Bucket": (
        _Rights(
            "acs:oss:*:{account}:{BucketName}",
            "oss:PutBucket oss:GetBucketInfo oss:PutBucketLifecycle oss:PutBucketPublicAccessBlock",
            "oss:PutBucketLifecycle oss:PutBucketAcl",
            "oss:ListObjects oss:DeleteObject oss:DeleteBucket",
        ),
    ),
    "ALIYUN::OTS::InstanceV2": (_Rights(_INSTANCE, "ots:CreateInstance", "ots:UpdateInstance", "ots:DeleteInstance"),),
    "ALIYUN::OTS::Table": (
        _Rights(
            _INSTANCE + "/table/{TableName}",
            "ots:CreateTable ots:DescribeTable",
            "ots:UpdateTable",
            "ots:DeleteTable",
        ),
    ),
    "ALIYUN::RAM::Role": (
        _Rights(_ROLE, "ram:CreateRole ram:GetRole ram:AttachPolicyToRole", "ram:UpdateRole", "ram:DeleteRole"),
        _Rights(_ROLE, "", "", "ram:ListPoliciesForRole ram:DetachPolicyFromRole"),
        _Rights(
            "acs:ram::{account}:policy/{RoleName}",
            "ram:CreatePolicy ram:AttachPolicyToRole",
            "ram:CreatePolicyVersion ram:DeletePolicyVersion ram:ListPolicyVersions",
            "ram:DetachPolicyFromRole ram:DeletePolicy",
        ),
    ),
    "ALIYUN::ROS::Sleep": (),
    "ALIYUN::SLS::Alert": (
        _Rights(_LOG + "{Project}/job/{Detail[Name]}", "log:CreateJob log:GetJob", "log:UpdateJob", "log:DeleteJob"),
    ),
    "ALIYUN::SLS::Dashboard": (
        _Rights("*", "log:CreateDashboard"),
        _Rights(
            _LOG + "{ProjectName}/dashboard/{DashboardName}",
            "log:GetDashboard",
            "log:UpdateDashboard",
            "log:DeleteDashboard",
        ),
    ),
    "ALIYUN::SLS::Index": (
        _Rights(
            _LOG + "{ProjectName}/logstore/{LogstoreName}",
            "log:CreateIndex log:GetIndex",
            "log:UpdateIndex",
            "log:DeleteIndex",
        ),
    ),
    "ALIYUN::SLS::Logstore": (
        _Rights(
            _LOG + "{ProjectName}/logstore/{LogstoreName}",
            "log:CreateLogStore log:GetLogStore",
            "log:UpdateLogStore",
            "log:DeleteLogStore",
        ),
    ),
    "ALIYUN::SLS::Project": (
        _Rights(_LOG + "{Name}", "log:CreateProject log:GetProject", "log:UpdateProject", "log:DeleteProject"),
    ),
}
#: What a trigger needs beside Function Compute: devsapp/fc3, docs/triggers, "least rights" of each kind.
_BY_TRIGGER: Mapping[str, tuple[_Rights, ...]] = {
    "eventbridge": (
        _Rights(
            _BUS_RULES,
            "eventbridge:GetEventBus eventbridge:CreateRule eventbridge:GetRule eventbridge:UpdateTargets "
            "eventbridge:ListTargets eventbridge:EnableRule",
            "eventbridge:UpdateRule eventbridge:UpdateTargets",
            "eventbridge:DeleteTargets eventbridge:DeleteRule",
        ),
    ),
    "mns_topic": (
        _Rights(
            "acs:mns:{region}:{account}:{SourceArn}/subscriptions/*",
            "mns:Subscribe mns:GetSubscriptionAttributes",
            "",
            "mns:Unsubscribe",
        ),
    ),
}


def needed(kind: str, done: str, properties: Properties, region: str, account: str) -> Iterator[Needed]:
    """Yield the rights for what is ``done`` (create, update, delete) to one resource."""
    rows = _BY_TYPE[kind]
    if kind == "ALIYUN::FC3::Trigger":
        rows += _BY_TRIGGER.get(str(properties["TriggerType"]), ())
    own = {**properties, "SourceArn": "/topics/" + str(properties.get("SourceArn", "")).rpartition("/")[2]}
    for rights in rows:
        arn = rights.on.format(region=region, account=account, **own)
        for action in getattr(rights, done).split():
            yield Needed(action, arn)
    if done != "delete":
        yield from _passed(properties, kind)


def _passed(properties: Properties, kind: str) -> Iterator[Needed]:
    """Yield the right to hand a role to a service: RAM, ``ram:PassRole``, with the service as ``acs:Service``."""
    for key, service, owner in (
        ("Role", "fc.aliyuncs.com", "ALIYUN::FC3::Function"),
        ("InvocationRole", "mns.aliyuncs.com", "ALIYUN::FC3::Trigger"),
    ):
        if kind == owner and properties.get(key):
            yield Needed("ram:PassRole", str(properties[key]), {"acs:Service": service})
