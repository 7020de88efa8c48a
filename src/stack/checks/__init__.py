"""All offline checks of a template, in the order in which their findings help most."""

from collections.abc import Mapping
from typing import Any

from cloud_languages.finding import Finding
from cloud_languages.template import checks, references, render
from cloud_languages.template.document import Document
from cloud_languages.template.expression import InvalidExpression
from stack.checks import rendered

#: For looking at what a template makes where no real stack is meant.
EXAMPLE_PSEUDO = {
    "ALIYUN::AccountId": "1234567890123456",
    "ALIYUN::Region": "cn-hangzhou",
    "ALIYUN::StackId": "00000000-0000-4000-8000-000000000000",
    "ALIYUN::StackName": "ecs-reboot",
    "ALIYUN::TenantId": "1234567890123456",
}
#: Values for the parts that are off by default, so that they are looked at too.
EXAMPLE_PARAMETERS = {
    "CodeBucket": "example-bucket",
    "CodeObject": "ecs-reboot/0.zip",
    "ActionableEvents": "Instance:SystemFailure.Reboot:Failed",
    "DefaultRegion": "cn-hangzhou",
    "Freezes": "2026-12-24..2027-01-02 year end",
    "GroupTag": "app",
    "MaintenanceWindows": "Mon-Fri 22:00-04:00",
    "Paused": "moving house; by=ada",
    "AlarmRuleId": "rule-1",
    "ExampleAlarmInstance": "i-bp1example",
    "ContactGroup": "operators",
    "WebhookToken": "example-token-of-24-letters",
    "Notify": "webhook=https://notices.example.com/in",
    "NotifySecret": "example-secret",
    "AlertEmail": "operator@example.com",
    "ScheduleCron": "CRON_TZ=Asia/Shanghai 0 0 4 * * *",
    "SweepCron": "@every 5m",
    "AgentEvents": "true",
    "Ledger": "tags",
    "StateEvents": "true",
    "VpcId": "vpc-1",
    "VSwitchId": "vsw-1",
    "SecurityGroupId": "sg-1",
}


def check(document: Document) -> list[Finding]:
    """Give everything that is wrong with a template; empty if nothing is."""
    findings = checks.check(document)
    if not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        return findings
    # What is made can only be looked at where the names lead somewhere.
    return [*(findings or _made(document)), *references.unused(document)]


def check_rendered(resources: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return what is wrong with the resources that a template makes under the parameters of a real deployment."""
    return list(rendered.check(resources))


def _made(document: Document) -> list[Finding]:
    declared = document.get("Parameters") or {}
    defaults = {
        name: declaration.get("Default", EXAMPLE_PARAMETERS.get(name, "x")) for name, declaration in declared.items()
    }
    examples = {name: value for name, value in EXAMPLE_PARAMETERS.items() if name in declared}
    found: dict[Finding, None] = {}
    for values in (defaults, defaults | examples):
        decided = render.decide(document, values | EXAMPLE_PSEUDO)
        try:
            resources = render.rendered(decided, render.Preview(decided))["Resources"]
        except InvalidExpression as error:
            return [Finding("Resources", str(error), "fix the function's arguments")]
        found |= {_hashable(finding): None for finding in rendered.check(resources)}
    return list(found)


def _hashable(finding: Finding) -> Finding:
    value = finding.value
    return (
        finding if isinstance(value, (str, int, float, bool)) or value is None else finding._replace(value=str(value))
    )
