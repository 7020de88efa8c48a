"""The rights of the stack's roles: the table behind ``template.yml``'s policies and docs/operate/permissions.md.

The function's half is checked against the calls that its code can make (``stack.calls``), in both directions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from stack.rights import (
    EVERYTHING,
    EVIDENCE_BUCKET,
    FAILURES,
    FUNCTION,
    FUNCTION_LOGS,
    INSTANCES,
    ITS_QUALIFIERS,
    LEDGER_KEY,
    LEDGERS,
    MARKING,
    MESSAGES,
    OBSERVED_KEY,
    OBSERVING,
    OPTED_IN,
    OPTING_IN,
    PLATFORM,
    RECORDS,
    SCALING_GROUPS,
    SNAPSHOTS,
    TABLE,
    TABLESTORE,
    TAGS,
    THE_FUNCTION,
    WHEN,
    Permission,
    removes,
)

#: Calls whose right is not named after them, and where that is said. Every other action is ``service:Call``.
ACTIONS_OF_CALLS = {
    # SLS, list of actions: PutLogs needs log:PostLogStoreLogs.
    "PutLogs": "log:PostLogStoreLogs",
    "GetLogs": "log:GetLogStoreLogs",
    # CloudMonitor, DescribeMetricLast and DescribeMetricList: the operations in their RAM tables are other ones.
    "DescribeMetricLast": "cms:QueryMetricLast",
    "DescribeMetricList": "cms:QueryMetricList",
}

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
        "RebootInstances",
        "ecs:RebootInstances",
        INSTANCES,
        "the reboot, graceful or forced: RAM can't tell them apart, so force is a setting of the function",
        OPTED_IN,
    ),
    *(
        Permission(FUNCTION, call, f"ecs:{call}", INSTANCES, reason, OPTED_IN, when="MayForce")
        for call, reason in (
            ("StopInstances", "the forced stop of an instance whose graceful reboot hangs, where ECS takes no reboot"),
            ("StartInstances", "its start after that stop"),
        )
    ),
    Permission(
        FUNCTION,
        "TagResources",
        "ecs:TagResources",
        INSTANCES,
        "the attempt, written on the instance before the reboot is asked for",
        MARKING,
        ledger=TAGS,
    ),
    Permission(
        FUNCTION,
        "TagResources",
        "ecs:TagResources",
        INSTANCES,
        "the same while it only observes (`MODE`): given in any case, so that one variable alone changes the mode",
        OBSERVING,
        ledger=TAGS,
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
        ledger=TAGS,
    ),
    *(
        Permission(
            FUNCTION,
            "UntagResources",
            "ecs:UntagResources",
            INSTANCES,
            reason,
            removes(key),
            ledger=TAGS,
        )
        for key, reason in (
            (LEDGER_KEY, "the sweep removes entries that no longer matter; without it they stay, and cost pages"),
            (OBSERVED_KEY, "the same of what it only observed"),
        )
    ),
    Permission(
        FUNCTION,
        "UntagResources",
        "ecs:UntagResources",
        INSTANCES,
        "never the owner's word: with it a pause would be gone",
        OPTING_IN,
        effect="Deny",
        ledger=TAGS,
    ),
    *(
        Permission(FUNCTION, call, f"ess:{call}", SCALING_GROUPS, reason)
        for call, reason in (
            ("DescribeScalingInstances", "whether an Auto Scaling group owns the instance (`MANAGED`)"),
            ("DescribeScalingGroups", "whether that group checks health (`MANAGED`)"),
        )
    ),
    Permission(
        FUNCTION,
        "SetInstancesProtection",
        "ess:SetInstancesProtection",
        SCALING_GROUPS,
        "protect an instance in its group while it restarts, and take that back",
        when="Protects",
    ),
    Permission(
        FUNCTION,
        "DescribeInstanceHistoryEvents",
        "ecs:DescribeInstanceHistoryEvents",
        EVERYTHING,
        "what the platform does to the instance, or is going to do (`PLATFORM_EVENTS`)",
    ),
    Permission(
        FUNCTION,
        "DescribeInstancesFullStatus",
        "ecs:DescribeInstancesFullStatus",
        EVERYTHING,
        "the health state of the instance (`RESPONSIVE`)",
    ),
    Permission(
        FUNCTION,
        "DescribeCloudAssistantStatus",
        "ecs:DescribeCloudAssistantStatus",
        INSTANCES,
        "when the guest last spoke, and whether commands run in it (`RESPONSIVE`, `BUSY_SECONDS`)",
    ),
    Permission(
        FUNCTION,
        "DescribeMetricLast",
        ACTIONS_OF_CALLS["DescribeMetricLast"],
        EVERYTHING,
        "whether the metric that fired is still over its threshold (`RESPONSIVE`)",
    ),
    Permission(
        FUNCTION,
        "DescribeSnapshots",
        "ecs:DescribeSnapshots",
        SNAPSHOTS,
        "snapshots in progress (`BUSY_SECONDS`). RAM knows snapshots here, not the instance",
    ),
    *(
        Permission(FUNCTION, call, f"ots:{call}", TABLE, reason, ledger=TABLESTORE)
        for call, reason in (
            ("BatchGetRow", "what is known of an instance, its group and the region, before a claim"),
            ("PutRow", "a claim, written on condition of what was read"),
            ("BatchWriteRow", "the claims of several instances, each on its condition"),
            ("GetRange", "the whole ledger, for a person who asks for it"),
        )
    ),
    *(
        Permission(FUNCTION, call, f"ecs:{call}", INSTANCES, reason, OPTED_IN, when="Evidence")
        for call, reason in (
            ("GetInstanceConsoleOutput", "the console's text before a reboot (`EVIDENCE`)"),
            ("GetInstanceScreenshot", "the console's picture before a reboot (`EVIDENCE=full`)"),
        )
    ),
    Permission(
        FUNCTION, "PutObject", "oss:PutObject", EVIDENCE_BUCKET, "evidence, which it can't read", when="Evidence"
    ),
    Permission(
        FUNCTION,
        "InvokeFunction",
        "fc:InvokeFunction",
        THE_FUNCTION,
        "hand an event that came by HTTP to itself, asynchronously: to no other, no loop (docs/understand/safety.md)",
    ),
    Permission(
        FUNCTION,
        "InvokeFunction",
        "fc:InvokeFunction",
        ITS_QUALIFIERS,
        "the same: the service asks for the function with its qualifier",
    ),
    Permission(FUNCTION, "PutLogs", "log:PostLogStoreLogs", RECORDS, "the records"),
    Permission(FUNCTION, "GetLogs", "log:GetLogStoreLogs", RECORDS, "the weekly digest: how many results of each code"),
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
    """Return the statements of the policy for these callers; rights of one effect, place and condition share one.

    A statement that one ledger or setting alone needs is there under that condition of the template.
    """
    grouped: dict[str, tuple[str, dict[str, Any]]] = {}
    for right in permissions:
        if right.by not in callers:
            continue
        key = repr((right.effect, right.resource.value, right.condition, right.ledger, right.when))
        if key not in grouped:
            grouped[key] = (
                LEDGERS.get(right.ledger, right.when),
                {"Effect": right.effect, "Action": [], "Resource": [right.resource.value]},
            )
            if right.condition:
                grouped[key][1]["Condition"] = dict(right.condition.value)
        if right.action not in grouped[key][1]["Action"]:
            grouped[key][1]["Action"].append(right.action)
    return [
        {"Fn::If": [condition, statement, {"Ref": "ALIYUN::NoValue"}]} if condition else statement
        for condition, statement in grouped.values()
    ]


def needed(variables: Mapping[str, str]) -> tuple[Permission, ...]:
    """Return what the function may do under its variables."""
    ledger = variables.get("LEDGER", TAGS)
    return tuple(
        right
        for right in PERMISSIONS
        if right.by == FUNCTION
        and right.ledger in ("", ledger)
        and (not right.when or WHEN[right.when].holds(variables))
    )


def policy(callers: tuple[str, ...]) -> dict[str, Any]:
    """Return the whole policy document for these callers, as it stands in the template."""
    return {"Version": "1", "Statement": statements(callers)}


def table() -> Iterator[str]:
    """Yield the lines of the table in docs/operate/permissions.md."""
    yield "| who | call | ledger | effect | RAM action | on | only if | what for |"
    yield "|---|---|---|---|---|---|---|---|"
    for right in PERMISSIONS:
        when = WHEN[right.when].words if right.when else ""
        only_if = "; ".join(filter(None, (right.condition.words if right.condition else "", when)))
        yield (
            f"| {right.by} | {right.call} | {right.ledger or 'any'} | {right.effect} | `{right.action}` "
            f"| {right.resource.words} | {only_if} | {right.reason} |"
        )
