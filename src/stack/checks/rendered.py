"""What a template makes under given parameters, against rules that no schema states.

They are Function Compute's limits (function-compute pages), RAM's form of a policy, CloudMonitor's targets, the names
that must lead to the same thing, and the function's own settings, which are read as the function will read them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cloud_languages import resource_names
from cloud_languages.finding import Finding
from cloud_languages.ram_granularity import is_for_all_resources
from ecs_reboot.settings import settings
from stack.checks import triggers

ENVIRONMENT_BYTES = 4 * 1024
MEMORY_STEP_MB = 64
CPU_STEP = 0.05
#: Function Compute, "Configure instance concurrency": for custom runtimes and containers only.
_STANDARD_RUNTIMES = ("python", "nodejs", "java", "php", "go", "dotnetcore")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TOPIC_TARGET = re.compile(r"acs:mns:[^:]+:[^:]+:/(topics/[^/]+/message|queues/[^/]+/message)")
_DESTINATION = re.compile(r"acs:mns:[^:]+:[^:]+:/(queues|topics)/[^/]+/messages|acs:fc:.+|acs:eventbridge:.+|acs:mq:.+")
_STAND_IN = re.compile(r"<([A-Za-z0-9]+)\.[A-Za-z0-9]+>")


def check(resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what is wrong with resources whose functions are evaluated: logical name -> Type and Properties."""
    for name, made in resources.items():
        path = f"Resources.{name}.Properties"
        yield from _name(made["Type"], made["Properties"], path)
        if rule := _RULES.get(made["Type"]):
            yield from rule(made["Properties"], path)
    yield from _one_name_each(resources)


def _name(kind: str, properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    rule = resource_names.RULES.get(kind)
    # What only exists once a resource is made is checked where its name is given.
    if rule and (mistake := rule.mistake(_STAND_IN.sub("xxx", str(properties.get(rule.key, ""))))):
        yield Finding(f"{path}.{rule.key}", properties.get(rule.key), mistake)


def _function(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    memory, cpu = properties.get("MemorySize"), properties.get("Cpu")
    if isinstance(memory, (int, float)) and memory % MEMORY_STEP_MB:
        yield Finding(f"{path}.MemorySize", memory, f"it must be a multiple of {MEMORY_STEP_MB}")
    if isinstance(cpu, (int, float)) and abs(cpu / CPU_STEP - round(cpu / CPU_STEP)) > 1e-6:  # noqa: PLR2004 - floats
        yield Finding(f"{path}.Cpu", cpu, f"it must be a multiple of {CPU_STEP}")
    elif isinstance(cpu, (int, float)) and isinstance(memory, (int, float)) and not 1 <= memory / 1024 / cpu <= 4:  # noqa: PLR2004 - documented
        yield Finding(f"{path}.Cpu", cpu, f"memory in GB ({memory / 1024:g}) must be one to four times the vCPU")
    if "InstanceConcurrency" in properties and str(properties.get("Runtime")).startswith(_STANDARD_RUNTIMES):
        remedy = "a function in a standard runtime serves one call at a time, and new ones can't set this: drop it"
        yield Finding(f"{path}.InstanceConcurrency", properties["InstanceConcurrency"], remedy)
    code = properties.get("Code", {})
    ways = [way for way in ("ZipFile", "SourceCode", "OssBucketName") if code.get(way)]
    if len(ways) != 1:
        yield Finding(f"{path}.Code", ways, "give exactly one of ZipFile, SourceCode, OssBucketName with OssObjectName")
    for entry in ("Handler", "InstanceLifecycleConfig.Initializer.Handler"):
        value: Any = properties
        for key in entry.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not re.fullmatch(r"[A-Za-z_][\w/]*\.[A-Za-z_]\w*", str(value)):
            yield Finding(f"{path}.{entry}", value, "write file.function, such as index.handle")
    yield from _environment(properties.get("EnvironmentVariables", {}), f"{path}.EnvironmentVariables")


def _environment(variables: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for name, value in variables.items():
        if name.startswith("FC_") or not _VARIABLE.fullmatch(name):
            yield Finding(f"{path}.{name}", value, "a letter, then letters, digits and _; not starting with FC_")
        if not isinstance(value, str):
            yield Finding(f"{path}.{name}", value, "a variable is a text: wrap the number in Fn::Sub")
        if value == "":
            yield Finding(f"{path}.{name}", value, "whether it may be empty is not documented: leave it out by Fn::If")
    size = sum(len(str(name).encode()) + len(str(value).encode()) for name, value in variables.items())
    if size > ENVIRONMENT_BYTES:
        remedy = f"Function Compute allows {ENVIRONMENT_BYTES} bytes for all names and values: shorten some"
        yield Finding(path, size, remedy)
    # What only exists once a resource is made is a name by the template's own rules.
    known = {name: _STAND_IN.sub("made-later", str(value)) for name, value in variables.items()}
    try:
        settings.load(known)
    except settings.SettingsError as error:
        for mistake in error.mistakes:
            yield Finding(f"{path}.{mistake.variable}", mistake.value, mistake.remedy)


def _policies(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for number, policy in enumerate(properties.get("Policies", [])):
        here = f"{path}.Policies[{number}].PolicyDocument"
        document = policy.get("PolicyDocument", {})
        if document.get("Version") != "1":
            yield Finding(f"{here}.Version", document.get("Version"), "RAM knows version '1'")
        for index, statement in enumerate(document.get("Statement", [])):
            yield from _statement(statement, f"{here}.Statement[{index}]")


def _statement(statement: Mapping[str, Any], path: str) -> Iterator[Finding]:
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield Finding(f"{path}.Effect", statement.get("Effect"), "say Allow or Deny")
    for action in statement.get("Action") or [""]:
        if not re.fullmatch(r"[a-z]+:[A-Z][A-Za-z]+", str(action)):
            yield Finding(f"{path}.Action", action, "name one action, such as ecs:RebootInstances; no wildcard")
    actions, resources = statement.get("Action") or [""], statement.get("Resource") or [""]
    unbounded = [action for action in actions if is_for_all_resources(str(action))]
    if unbounded and resources != ["*"]:
        remedy = "RAM knows it on all resources only: give it a statement of its own, with Resource '*'"
        yield Finding(f"{path}.Action", unbounded[0], remedy)
        return
    if unbounded == actions:
        return
    for resource in resources:
        if not re.fullmatch(r"acs:[a-z]+:[^:]*:[^:]*:.+", str(resource)) or str(resource).endswith(":*"):
            remedy = "name the resource, as acs:ecs:REGION:ACCOUNT:instance/*; no bare wildcard"
            yield Finding(f"{path}.Resource", resource, remedy)


def _alert(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    detail = properties.get("Detail", {})
    if not str(detail.get("Name", "")).startswith("alert-"):
        yield Finding(f"{path}.Detail.Name", detail.get("Name"), "an alert's name starts with alert-")


def _dashboard(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    name = str(properties.get("DashboardName", ""))
    if not name.startswith("dashboard-"):
        yield Finding(f"{path}.DashboardName", name, "a dashboard's name starts with dashboard-")
    for number, chart in enumerate(properties.get("Charts", [])):
        missing = [key for key in ("action", "title", "type", "search", "display") if key not in chart]
        if missing:
            yield Finding(f"{path}.Charts[{number}]", missing, "a chart has action, title, type, search and display")


def _destination(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for outcome, told in properties.get("DestinationConfig", {}).items():
        if not _DESTINATION.fullmatch(str(told.get("Destination", ""))):
            remedy = "write the ARN of a queue, acs:mns:REGION:ACCOUNT:/queues/NAME/messages, a function or a bus"
            yield Finding(f"{path}.DestinationConfig.{outcome}.Destination", told.get("Destination"), remedy)


def _metric_targets(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for number, target in enumerate(properties.get("Targets", [])):
        # PutMetricRuleTargets replaces the target that has the ID already, and the stack's deletion deletes it.
        if re.fullmatch(r"[0-9]*", str(target.get("Id", ""))):
            remedy = "the rule's owner may use it already: take the function's name"
            yield Finding(f"{path}.Targets[{number}].Id", target.get("Id"), remedy)
        if not _TOPIC_TARGET.fullmatch(str(target.get("Arn", ""))):
            remedy = "write acs:mns:REGION:ACCOUNT:/topics/NAME/message"
            yield Finding(f"{path}.Targets[{number}].Arn", target.get("Arn"), remedy)


_RULES: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[Finding]]] = {
    "ALIYUN::CMS::MetricRuleTargets": _metric_targets,
    "ALIYUN::FC3::AsyncInvokeConfig": _destination,
    "ALIYUN::FC3::Function": _function,
    "ALIYUN::FC3::Trigger": triggers.check,
    "ALIYUN::RAM::Role": _policies,
    "ALIYUN::SLS::Alert": _alert,
    "ALIYUN::SLS::Dashboard": _dashboard,
}


def _one_name_each(resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    rules = resource_names.RULES
    named = [
        (name, made["Type"], made["Properties"].get(rules[made["Type"]].key))
        for name, made in resources.items()
        if made["Type"] in rules
    ]
    counted = Counter((kind, given) for _, kind, given in named)
    for name, kind, given in named:
        if counted[kind, given] > 1:
            yield Finding(f"Resources.{name}.Properties.{rules[kind].key}", given, f"two of {kind} have this name")
