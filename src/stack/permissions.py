"""The rights of the stack's roles: one table, from which the policies in ``template.yml`` and docs/permissions.md come.

The function's half is checked against the calls that its code can make (``stack.calls``), in both directions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

OPT_IN_KEY = "ecs-reboot"
LEDGER_KEY = "ecs-reboot.ledger"

FUNCTION, PLATFORM, MESSAGES = "the function", "Function Compute", "the message service"


class Resource(NamedTuple):
    """What a right is about: its value in the template, and how docs call it."""

    value: Any
    told: str


class Condition(NamedTuple):
    """When a right counts: the document's Condition, and how docs call it."""

    value: Mapping[str, Any]
    told: str


class Permission(NamedTuple):
    """One right. ``by`` makes the ``call`` under the role; ``reason`` is what it is needed for."""

    by: str
    call: str
    action: str
    resource: Resource
    reason: str
    condition: Condition | None = None
    effect: str = "Allow"


def _sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


_PROJECT = {
    "Fn::If": [
        "NewLogProject",
        _sub("${FunctionName}-${ALIYUN::AccountId}-${ALIYUN::Region}"),
        {"Ref": "ExistingLogProject"},
    ]
}


def _logstore(name: str) -> Resource:
    text = f"acs:log:${{ALIYUN::Region}}:${{ALIYUN::AccountId}}:project/${{Project}}/logstore/${{FunctionName}}-{name}"
    return Resource({"Fn::Sub": [text, {"Project": _PROJECT}]}, f"the logstore `<function>-{name}`")


INSTANCES = Resource(
    {
        "Fn::If": [
            "EveryRegion",
            _sub("acs:ecs:*:${ALIYUN::AccountId}:instance/*"),
            _sub("acs:ecs:${ALIYUN::Region}:${ALIYUN::AccountId}:instance/*"),
        ]
    },
    "all instances of the region (of every region if `EveryRegion`): which one is only known when an alarm comes",
)
RECORDS, FUNCTION_LOGS = _logstore("records"), _logstore("function")
FAILURES = Resource(
    _sub("acs:mns:${ALIYUN::Region}:${ALIYUN::AccountId}:/queues/${FunctionName}-failures/messages"),
    "the failure queue",
)
THE_FUNCTION = Resource(
    _sub("acs:fc:${ALIYUN::Region}:${ALIYUN::AccountId}:functions/${FunctionName}"), "the function itself"
)
ITS_QUALIFIERS = Resource(
    _sub("acs:fc:${ALIYUN::Region}:${ALIYUN::AccountId}:functions/${FunctionName}/*"),
    "the function's versions: the service asks for the function with its qualifier",
)
OPTED_IN = Condition(
    {"StringEquals": {f"acs:ResourceTag/{OPT_IN_KEY}": [{"Ref": "OptInValue"}]}},
    f"the instance has the tag `{OPT_IN_KEY}` with the opt-in value",
)
MARKING = Condition(
    {
        "StringLike": {
            f"acs:ResourceTag/{OPT_IN_KEY}": [{"Ref": "OptInValue"}, "paused*"],
            f"acs:RequestTag/{LEDGER_KEY}": ["*"],
        },
    },
    f"the instance has the opt-in tag or is paused by it, and the request writes `{LEDGER_KEY}`",
)
OPTING_IN = Condition(
    {"StringLike": {f"acs:RequestTag/{OPT_IN_KEY}": ["*"]}},
    f"the request writes `{OPT_IN_KEY}`, whatever else it writes",
)

PERMISSIONS: tuple[Permission, ...] = (
    Permission(
        FUNCTION,
        "DescribeInstances",
        "ecs:DescribeInstances",
        INSTANCES,
        "facts to decide on. Not narrowed by tag: a call that names instances by ID carries no tag filter, and an "
        "instance that is not opted in must be told from one that does not exist",
    ),
    Permission(
        FUNCTION,
        "ListTagResources",
        "ecs:ListTagResources",
        INSTANCES,
        "earlier attempts of all instances, for cooldown and blast radius",
    ),
    Permission(
        FUNCTION,
        "RebootInstances",
        "ecs:RebootInstances",
        INSTANCES,
        "the reboot, graceful or forced: RAM can't tell them apart, so force is a setting of the function",
        OPTED_IN,
    ),
    Permission(
        FUNCTION,
        "TagResources",
        "ecs:TagResources",
        INSTANCES,
        "the attempt, written on the instance before the reboot is asked for",
        MARKING,
    ),
    Permission(
        FUNCTION,
        "TagResources",
        "ecs:TagResources",
        INSTANCES,
        "never the opt-in tag: else the function could widen its own reach, or lift a pause, by a second tag in one "
        "request",
        OPTING_IN,
        effect="Deny",
    ),
    Permission(FUNCTION, "PutLogs", "log:PostLogStoreLogs", RECORDS, "the records"),
    Permission(PLATFORM, "PutLogs", "log:PostLogStoreLogs", FUNCTION_LOGS, "what the function prints"),
    Permission(
        PLATFORM, "SendMessage", "mns:SendMessage", FAILURES, "events that failed for good: the failure destination"
    ),
    Permission(MESSAGES, "InvokeFunction", "fc:InvokeFunction", THE_FUNCTION, "alarms from the topic"),
    Permission(MESSAGES, "InvokeFunction", "fc:InvokeFunction", ITS_QUALIFIERS, "alarms from the topic"),
)

#: The mark in ``template.yml`` -> who acts under the role whose policy stands there.
POLICIES = {"function policy": (FUNCTION, PLATFORM), "alarm policy": (MESSAGES,)}


def statements(callers: tuple[str, ...], permissions: tuple[Permission, ...] = PERMISSIONS) -> list[dict[str, Any]]:
    """Return the statements of the policy for these callers; rights of one effect, place and condition share one."""
    grouped: dict[str, dict[str, Any]] = {}
    for one in permissions:
        if one.by not in callers:
            continue
        key = repr((one.effect, one.resource.value, one.condition))
        if key not in grouped:
            grouped[key] = {"Effect": one.effect, "Action": [], "Resource": [one.resource.value]}
            if one.condition:
                grouped[key]["Condition"] = dict(one.condition.value)
        if one.action not in grouped[key]["Action"]:
            grouped[key]["Action"].append(one.action)
    return list(grouped.values())


def policy(callers: tuple[str, ...]) -> dict[str, Any]:
    """Return the whole policy document for these callers, as it stands in the template."""
    return {"Version": "1", "Statement": statements(callers)}


def table() -> Iterator[str]:
    """Give the lines of the table in docs/permissions.md."""
    yield "| who | call | effect | RAM action | on | only if | what for |"
    yield "|---|---|---|---|---|---|---|"
    for one in PERMISSIONS:
        told = one.condition.told if one.condition else ""
        yield (
            f"| {one.by} | {one.call} | {one.effect} | `{one.action}` | {one.resource.told} | {told} | {one.reason} |"
        )
