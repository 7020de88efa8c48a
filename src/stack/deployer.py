"""The rights of whoever runs the tools: one table, from which docs/operate/permissions.md and a policy document come.

ROS makes a stack with the rights of its caller, so these are the rights on what the stack is made of, and on what the
tools look at themselves. The local cloud runs every deployment of the tests under exactly this policy.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: RAM: characters of one custom policy.
POLICY_CHARACTERS = 6144


class Right(NamedTuple):
    """Actions of one service on one place; ``only_if`` are condition keys with their values."""

    service: str
    actions: str
    on: str
    words: str
    only_if: Mapping[str, tuple[str, ...]] = {}


_LOGS = "acs:log:{region}:{account}:project/{project}"
_FUNCTION = "acs:fc:{region}:{account}:functions/{function}"
_SERVICES = ("fc.aliyuncs.com", "sendevent-fc.eventbridge.aliyuncs.com", "cloudmonitor.aliyuncs.com")

#: Where a name differs from the call's: SLS and CloudMonitor, their RAM tables. What RAM knows on all resources only
#: stands on ``*``, by itself.
RIGHTS: tuple[Right, ...] = (
    Right(
        "ros",
        "CreateStack UpdateStack DeleteStack GetStack ListStacks ListStackEvents ListStackResources GetTemplate "
        "PreviewStack ValidateTemplate",
        "*",
        "stacks: their IDs are not known beforehand",
    ),
    Right("sts", "GetCallerIdentity", "*", "whose the credentials are"),
    Right(
        "ram",
        "CreateRole GetRole UpdateRole DeleteRole ListPoliciesForRole AttachPolicyToRole DetachPolicyFromRole",
        "acs:ram::{account}:role/{function}-*",
        "the stack's roles",
    ),
    Right(
        "ram",
        "CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion DeletePolicyVersion "
        "ListPolicyVersions AttachPolicyToRole DetachPolicyFromRole",
        "acs:ram::{account}:policy/{function}-*",
        "their policies",
    ),
    Right(
        "ram",
        "PassRole",
        "acs:ram::{account}:role/{function}-*",
        "hand the roles to Function Compute and to the message service",
        {"acs:Service": ("fc.aliyuncs.com", "mns.aliyuncs.com")},
    ),
    Right("ram", "GetRole", "acs:ram::{account}:role/Aliyun*", "look for the account's service roles"),
    Right(
        "ram",
        "CreateRole AttachPolicyToRole",
        "acs:ram::{account}:role/AliyunCloudMonitorDefaultRole",
        "make CloudMonitor's role, once; without, a person must",
    ),
    Right(
        "ram",
        "AttachPolicyToRole",
        "acs:ram:*:system:policy/AliyunCloudMonitorRolePolicy",
        "the same",
    ),
    Right(
        "ram",
        "CreateServiceLinkedRole",
        "*",
        "make the service-linked roles, once; without, a person must",
        {"ram:ServiceName": _SERVICES},
    ),
    Right(
        "fc",
        "CreateFunction GetFunction UpdateFunction DeleteFunction PutAsyncInvokeConfig GetAsyncInvokeConfig "
        "DeleteAsyncInvokeConfig PutConcurrencyConfig GetConcurrencyConfig DeleteConcurrencyConfig",
        _FUNCTION,
        "the function",
    ),
    Right(
        "fc",
        "CreateTrigger GetTrigger UpdateTrigger DeleteTrigger ListTriggers",
        _FUNCTION + "/triggers/*",
        "its triggers",
    ),
    Right(
        "eventbridge",
        "CreateEventBus GetEventBus DeleteEventBus CreateRule GetRule UpdateRule EnableRule DisableRule DeleteRule "
        "ListRules UpdateTargets DeleteTargets ListTargets",
        "*",
        "the rules behind the triggers (devsapp/fc3, docs/triggers)",
    ),
    Right("log", "CreateProject GetProject UpdateProject DeleteProject ListLogStores", _LOGS, "the log project"),
    Right(
        "log",
        "CreateLogStore GetLogStore UpdateLogStore DeleteLogStore CreateIndex GetIndex UpdateIndex DeleteIndex "
        "GetLogStoreLogs",
        _LOGS + "/logstore/*",
        "its logstores; deleting is for `LOGS=1`",
    ),
    Right("log", "CreateDashboard", "*", "the dashboard: RAM knows this action on all resources only"),
    Right("log", "GetDashboard UpdateDashboard DeleteDashboard", _LOGS + "/dashboard/*", "the dashboard"),
    Right("log", "CreateJob GetJob UpdateJob DeleteJob", _LOGS + "/job/*", "the alert"),
    Right(
        "mns",
        "CreateQueue DeleteQueue GetQueueAttributes",
        "acs:mns:{region}:{account}:/queues/{function}-failures",
        "the failure queue",
    ),
    Right(
        "mns",
        "CreateTopic DeleteTopic GetTopicAttributes Subscribe Unsubscribe GetSubscriptionAttributes",
        "acs:mns:{region}:{account}:/topics/{function}-alarms*",
        "the alarm topic and its subscription",
    ),
    Right(
        "cms",
        "PutMetricRuleTargets DescribeMetricRuleTargets DeleteMetricRuleTargets DescribeMetricRuleList "
        "PutResourceMetricRule DeleteMetricRules",
        "*",
        "alarm rules: CloudMonitor's rights are granted by action only",
    ),
    Right(
        "ots",
        "CreateInstance GetInstance UpdateInstance DeleteInstance CreateTable DescribeTable UpdateTable DeleteTable",
        "acs:ots:{region}:{account}:instance/er-*",
        "the ledger; deleting is for `FORGET=1`",
    ),
    Right(
        "oss",
        "PutBucket GetBucketInfo GetBucketAcl PutObject GetObject ListObjects DeleteObject DeleteBucket",
        "acs:oss:*:{account}:ecs-reboot-code-*",
        "the bucket for the package; deleting is for `LOGS=1 FORGET=1`",
    ),
    Right(
        "oss",
        "PutBucket GetBucketInfo PutBucketAcl PutBucketLifecycle GetBucketLifecycle PutBucketPublicAccessBlock "
        "ListObjects DeleteObject DeleteBucket",
        "acs:oss:*:{account}:{function}-{account}-{region}*",
        "the bucket of evidence, which goes with the stack",
    ),
    Right("ecs", "DescribeInstances", "acs:ecs:{region}:{account}:instance/*", "what `make doctor` says of instances"),
)


def policy(region: str, account: str, function: str, project: str = "") -> dict[str, Any]:
    """Return the policy document for one stack."""
    names = {
        "region": region,
        "account": account,
        "function": function,
        "project": project or f"{function}-{account}-{region}",
    }
    statements = []
    for right in RIGHTS:
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": [f"{right.service}:{action}" for action in right.actions.split()],
            "Resource": [right.on.format(**names)],
        }
        if right.only_if:
            statement["Condition"] = {"StringEquals": {key: list(values) for key, values in right.only_if.items()}}
        statements.append(statement)
    return {"Version": "1", "Statement": statements}


def written(document: Mapping[str, Any]) -> str:
    """Write a policy as RAM takes it: without a space that counts."""
    return json.dumps(document, separators=(",", ":"))


def table() -> Iterator[str]:
    """Yield the lines of the table in docs/operate/permissions.md."""
    yield "| actions | on | only if | what for |"
    yield "|---|---|---|---|"
    for right in RIGHTS:
        actions = " ".join(f"`{right.service}:{action}`" for action in right.actions.split())
        only_if = "; ".join(f"`{key}` is {' or '.join(values)}" for key, values in right.only_if.items())
        yield f"| {actions} | `{right.on}` | {only_if} | {right.words} |"
