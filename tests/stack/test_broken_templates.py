# ruff: noqa: E501 - a table with one mistake a line
"""Each kind of mistake in a template is found, at its place, with a remedy."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from local_deployment import ROOT

from cloud_languages.template import document
from stack import checks

TEMPLATE = document.load(ROOT / "template.yml")
_GROUPS = TEMPLATE["Metadata"]["ALIYUN::ROS::Interface"]["ParameterGroups"]
GROUP_OF_THE_ALERT = next(number for number, group in enumerate(_GROUPS) if "AlertEmail" in group["Parameters"])


class Mistake(NamedTuple):
    """One mutation, the path where it must be found, and a word of the remedy."""

    name: str
    make: Callable[[Any], object]
    path: str
    remedy: str


def properties(template: Any, resource: str) -> Any:
    return template["Resources"][resource]["Properties"]


def put(*keys: str | int, value: object) -> Callable[[Any], object]:
    def make(template: Any) -> None:
        for key in keys[:-1]:
            template = template[key]
        template[keys[-1]] = value

    return make


def drop(*keys: str | int) -> Callable[[Any], object]:
    def make(template: Any) -> None:
        for key in keys[:-1]:
            template = template[key]
        del template[keys[-1]]

    return make


def at(resource: str, *keys: str | int) -> tuple[str | int, ...]:
    return ("Resources", resource, "Properties", *keys)


CONFIG = "TriggerConfig"
PATTERN = at("SystemEventTrigger", CONFIG, "eventRuleFilterPattern")
POLICY = at("Role", "Policies", 0, "PolicyDocument")

#: The statement of the role's rights that can't be narrowed.
ON_ALL = next(
    number
    for number, statement in enumerate(
        TEMPLATE["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    )
    if statement.get("Resource") == ["*"]
)

MISTAKES = (
    Mistake("unknown section", put("Resource", value={}), "Resource", "did you mean Resources"),
    Mistake("wrong version", put("ROSTemplateFormatVersion", value="2020-01-01"), "ROSTemplateFormatVersion", "2015-09-01"),
    Mistake("no resources", put("Resources", value={}), "Resources", "at least one"),
    Mistake("unknown type", put("Resources", "Function", "Type", value="ALIYUN::FC3::Funktion"), "Resources.Function.Type", "did you mean ALIYUN::FC3::Function"),
    Mistake("type that ROS has not", put("Resources", "Function", "Type", value="ALIYUN::FC3::Alias"), "Resources.Function.Type", "no such type"),
    Mistake("unknown service", put("Resources", "Function", "Type", value="ALIYUN::ABC::Function"), "Resources.Function.Type", "no schema"),
    Mistake("unknown property", put(*at("Function", "MemorySizes"), value=512), "Resources.Function.Properties.MemorySizes", "did you mean MemorySize"),
    Mistake("unknown inner property", put(*at("Function", "LogConfig", "LogStore"), value="x"), "Resources.Function.Properties.LogConfig.LogStore", "did you mean Logstore"),
    Mistake("missing property", drop(*at("Function", "Handler")), "Resources.Function.Properties", "needs the property Handler"),
    Mistake("missing inner property", drop(*at("AsyncInvoke", "DestinationConfig", "OnFailure", "Destination")), "Resources.AsyncInvoke.Properties.DestinationConfig.OnFailure", "Destination"),
    Mistake("wrong type of value", put(*at("Function", "DiskSize"), value="512"), "Resources.Function.Properties.DiskSize", "must be a number"),
    Mistake("a truth value for a number", put(*at("Function", "DiskSize"), value=True), "Resources.Function.Properties.DiskSize", "must be a number"),
    Mistake("a text for a list", put(*at("ExampleAlarm", "ContactGroups"), value="ops"), "Resources.ExampleAlarm.Properties.ContactGroups", "must be a list"),
    Mistake("out of range", put(*at("LedgerTable", "MaxVersions"), value=0), "Resources.LedgerTable.Properties.MaxVersions", "outside 1 to"),
    Mistake("concurrency of a standard runtime", put(*at("Function", "InstanceConcurrency"), value=1), "Resources.Function.Properties.InstanceConcurrency", "drop it"),
    Mistake("Fn::Not with a list", put("Conditions", "InVpc", value={"Fn::Not": [{"Fn::Equals": ["", {"Ref": "VpcId"}]}]}), "Conditions", "fix the condition"),
    Mistake("a right that can't be narrowed", put(*POLICY, "Statement", ON_ALL, "Resource", value=["acs:ecs:x:y:instance/*"]), "Resources.Role.Properties.Policies[0].PolicyDocument.Statement[3].Action", "on all resources only"),
    Mistake("a target that may be somebody's", put(*at("AlarmRuleTarget", "Targets", 0, "Id"), value="1"), "Resources.AlarmRuleTarget.Properties.Targets[0].Id", "function's name"),
    Mistake("a variable without a value", put(*at("Function", "EnvironmentVariables", "PAUSED"), value=""), "Resources.Function.Properties.EnvironmentVariables.PAUSED", "leave it out"),
    Mistake("a chart without an action", drop(*at("Dashboard", "Charts", 0, "action")), "Resources.Dashboard.Properties.Charts[0]", "action"),
    Mistake("a name that Tablestore does not take", put(*at("LedgerStore", "InstanceName"), value="reboots"), "Resources.LedgerStore.Properties.InstanceName", "ots"),
    Mistake("too long", put(*at("Function", "Description"), value="x" * 257), "Resources.Function.Properties.Description", "length 257"),
    Mistake("too short a list", put(*at("ExampleAlarm", "ContactGroups"), value=[]), "Resources.ExampleAlarm.Properties.ContactGroups", "length 0"),
    Mistake("value not allowed", put(*at("ExampleAlarm", "NoDataPolicy"), value="KEEP"), "Resources.ExampleAlarm.Properties.NoDataPolicy", "KEEP_LAST_STATE"),
    Mistake("value not allowed, in a branch", put(*at("ExampleAlarm", "NoDataPolicy"), value={"Fn::If": ["InVpc", "KEEP", "OK"]}), "Resources.ExampleAlarm.Properties.NoDataPolicy.Fn::If[1]", "give one of"),
    Mistake("pattern not met", put(*at("Records", "LogstoreName"), value="a b c"), "Resources.Records.Properties.LogstoreName", "must match"),
    Mistake("parameter of another type", put(*at("Function", "Timeout"), value={"Ref": "Runtime"}), "Resources.Function.Properties.Timeout", "a number is needed"),
    Mistake("dangling Ref", put(*at("Function", "Runtime"), value={"Ref": "Runtimes"}), "Resources.Function.Properties.Runtime", "did you mean Runtime"),
    Mistake("dangling Ref in Fn::Sub", put(*at("Alarms", "TopicName"), value={"Fn::Sub": "${Functions}-alarms"}), "Resources.Alarms.Properties.TopicName.Fn::Sub", "did you mean Function"),
    Mistake("dangling GetAtt", put(*at("Function", "Role"), value={"Fn::GetAtt": ["Rolle", "Arn"]}), "Resources.Function.Properties.Role", "did you mean Role"),
    Mistake("attribute that is not there", put(*at("Function", "Role"), value={"Fn::GetAtt": ["Role", "ARN"]}), "Resources.Function.Properties.Role", "gives Arn"),
    Mistake("attribute in Fn::Sub", put("Outputs", "FunctionName", "Value", value={"Fn::Sub": "${Function.Name}"}), "Outputs.FunctionName.Value.Fn::Sub", "FunctionName"),
    Mistake("dangling DependsOn", put("Resources", "Dashboard", "DependsOn", value="Functions"), "Resources.Dashboard.DependsOn", "did you mean Function"),
    Mistake("dangling condition", put("Resources", "LogAlert", "Condition", value="Alarm"), "Resources.LogAlert.Condition", "no such condition"),
    Mistake("dangling condition in Fn::If", put(*at("Function", "InternetAccess"), value={"Fn::If": ["InVPC", False, True]}), "Resources.Function.Properties.InternetAccess", "did you mean InVpc"),
    Mistake("dangling condition in Fn::And", put("Conditions", "AlarmRule", "Fn::And", 0, value="Topic"), "Conditions.AlarmRule.Fn::And[0]", "no such condition"),
    Mistake("a resource that may not be there", put(*at("AsyncInvoke", "FunctionName"), value={"Fn::GetAtt": ["Alarms", "TopicName"]}), "Resources.AsyncInvoke.Properties.FunctionName", "under the condition AlarmTopic"),
    Mistake("condition lost", drop("Resources", "AlarmTrigger", "Condition"), "Resources.AlarmTrigger.Properties.SourceArn.Fn::Sub", "under the condition AlarmTopic"),
    Mistake("circle", put("Resources", "Role", "DependsOn", value="AsyncInvoke"), "Resources", "break the circle"),
    Mistake("unused parameter", lambda template: template["Parameters"].update(Spare=dict(template["Parameters"]["Paused"])), "Parameters.Spare", "nothing uses"),
    Mistake("unused condition", put("Conditions", "Spare", value={"Fn::Equals": ["a", "b"]}), "Conditions.Spare", "nothing uses"),
    Mistake("condition that is none", put("Conditions", "InVpc", value={"Ref": "VpcId"}), "Conditions.InVpc", "Fn::Equals"),
    Mistake("unknown function", put(*at("Alarms", "TopicName"), value={"Fn::Concat": ["a"]}), "Resources.Alarms.Properties.TopicName", "no such function"),
    Mistake("parameter type", put("Parameters", "Paused", "Type", value="Text"), "Parameters.Paused.Type", "String"),
    Mistake("parameter key", put("Parameters", "Paused", "MaxLenght", value=3), "Parameters.Paused.MaxLenght", "did you mean MaxLength"),
    Mistake("parameter name", lambda template: template["Parameters"].update({"A-b": dict(template["Parameters"]["Paused"])}), "Parameters.A-b", "letters and digits"),
    Mistake("default not allowed", put("Parameters", "Runtime", "Default", value="python3.11"), "Parameters.Runtime.Default", "its own bounds"),
    Mistake("default out of range", put("Parameters", "LogDays", "Default", value=0), "Parameters.LogDays.Default", "MinValue"),
    Mistake("pattern that is none", put("Parameters", "TimeZone", "AllowedPattern", value="(["), "Parameters.TimeZone.AllowedPattern", "regular expression"),
    Mistake("label in one language", put("Parameters", "Paused", "Label", value={"en": "Pause"}), "Parameters.Paused.Label", "zh-cn"),
    Mistake("parameter in no group", put("Metadata", "ALIYUN::ROS::Interface", "ParameterGroups", GROUP_OF_THE_ALERT, "Parameters", value=[]), "Parameters.AlertEmail", "no group"),
    Mistake("deletion policy", put("Resources", "Records", "DeletionPolicy", value="Keep"), "Resources.Records.DeletionPolicy", "Retain"),
    Mistake("output without value", drop("Outputs", "RoleArn", "Value"), "Outputs.RoleArn", "Value"),
    Mistake("trigger type", put(*at("AlarmTrigger", "TriggerType"), value="mns"), "Resources.AlarmTrigger.Properties.TriggerType", "mns_topic"),
    Mistake("trigger key", put(*at("AlarmTrigger", CONFIG, "notifyContentformat"), value="JSON"), "Resources.AlarmTrigger.Properties.TriggerConfig.notifyContentformat", "did you mean notifyContentFormat"),
    Mistake("trigger value", put(*at("AlarmTrigger", CONFIG, "notifyStrategy"), value="RETRY"), "Resources.AlarmTrigger.Properties.TriggerConfig.notifyStrategy", "BACKOFF_RETRY"),
    Mistake("trigger without its role", drop(*at("AlarmTrigger", "InvocationRole")), "Resources.AlarmTrigger.Properties", "InvocationRole"),
    Mistake("trigger's source", put(*at("AlarmTrigger", "SourceArn"), value={"Fn::Sub": "acs:mns:x:y:/queues/${Alarms.TopicName}"}), "Resources.AlarmTrigger.Properties.SourceArn", "/topics/"),
    Mistake("trigger's name", put(*at("HttpTrigger", "TriggerName"), value="1st"), "Resources.HttpTrigger.Properties.TriggerName", "not starting with a digit"),
    Mistake("two triggers of one name", put(*at("HttpTrigger", "TriggerName"), value="alarms"), "Resources.HttpTrigger.Properties.TriggerName", "have this name"),
    Mistake("http method", put(*at("HttpTrigger", CONFIG, "methods"), value=["POST", "SEND"]), "Resources.HttpTrigger.Properties.TriggerConfig.methods[1]", "give one of"),
    Mistake("cron with five fields", put(*at("SweepTrigger", CONFIG, "cronExpression"), value="*/5 * * * *"), "Resources.SweepTrigger.Properties.TriggerConfig.cronExpression", "six are needed"),
    Mistake("cron out of range", put(*at("SweepTrigger", CONFIG, "cronExpression"), value="0 60 * * * *"), "Resources.SweepTrigger.Properties.TriggerConfig.cronExpression", "0 to 59"),
    Mistake("cron that never comes", put(*at("SweepTrigger", CONFIG, "cronExpression"), value="0 0 0 30 2 *"), "Resources.SweepTrigger.Properties.TriggerConfig.cronExpression", "never goes off"),
    Mistake("system events from a queue", put(*at("SystemEventTrigger", CONFIG, "eventSourceConfig"), value={"eventSourceType": "MNS"}), "Resources.SystemEventTrigger.Properties.TriggerConfig.eventSourceConfig.eventSourceType", "come from Default"),
    Mistake("event pattern as a mapping", put(*PATTERN, value={"source": ["acs.ecs"]}), "Resources.SystemEventTrigger.Properties.TriggerConfig.eventRuleFilterPattern", "JSON text"),
    Mistake("event pattern that is no JSON", put(*PATTERN, value="{'source': ['acs.ecs']}"), "Resources.SystemEventTrigger.Properties.TriggerConfig.eventRuleFilterPattern", "not JSON"),
    Mistake("event pattern with a bare value", put(*PATTERN, value='{"source": "acs.ecs"}'), "Resources.SystemEventTrigger.Properties.TriggerConfig.eventRuleFilterPattern.source", "list"),
    Mistake("event pattern with an unknown matcher", put(*PATTERN, value='{"source": [{"starts": "acs"}]}'), "Resources.SystemEventTrigger.Properties.TriggerConfig.eventRuleFilterPattern.source[0]", "prefix"),
    Mistake("variables over 4 KB", put(*at("Function", "EnvironmentVariables", "INSTANCE_LABELS"), value="x" * 4000), "Resources.Function.Properties.EnvironmentVariables", "4096 bytes"),
    Mistake("variable of the platform", put(*at("Function", "EnvironmentVariables", "FC_REGION"), value="x"), "Resources.Function.Properties.EnvironmentVariables.FC_REGION", "not starting with FC_"),
    Mistake("variable that is no text", put(*at("Function", "EnvironmentVariables", "COOLDOWN_SECONDS"), value={"Ref": "CooldownSeconds"}), "Resources.Function.Properties.EnvironmentVariables.COOLDOWN_SECONDS", "Fn::Sub"),
    Mistake("misspelt setting", put(*at("Function", "EnvironmentVariables", "FORCE_REBOT"), value="never"), "Resources.Function.Properties.EnvironmentVariables.FORCE_REBOT", "did you mean FORCE_REBOOT"),
    Mistake("setting that does not parse", put(*at("Function", "EnvironmentVariables", "OPT_IN_TAG"), value="ecs-reboot"), "Resources.Function.Properties.EnvironmentVariables.OPT_IN_TAG", "key=value"),
    Mistake("memory per vCPU", put(*at("Function", "Cpu"), value=0.05), "Resources.Function.Properties.Cpu", "one to four times"),
    Mistake("memory step", put(*at("Function", "MemorySize"), value=500), "Resources.Function.Properties.MemorySize", "multiple of 64"),
    Mistake("code twice", put(*at("Function", "Code", "ZipFile"), value="UEs="), "Resources.Function.Properties.Code", "exactly one"),
    Mistake("handler", put(*at("Function", "Handler"), value="index"), "Resources.Function.Properties.Handler", "file.function"),
    Mistake("every action", put(*POLICY, "Statement", 0, "Action", value=["ecs:*"]), "Resources.Role.Properties.Policies[0].PolicyDocument.Statement[0].Action", "no wildcard"),
    Mistake("every resource", put(*POLICY, "Statement", 0, "Resource", value=["*"]), "Resources.Role.Properties.Policies[0].PolicyDocument.Statement[0].Resource", "name the resource"),
    Mistake("policy version", put(*POLICY, "Version", value="2"), "Resources.Role.Properties.Policies[0].PolicyDocument.Version", "'1'"),
    Mistake("alarm's target", put(*at("AlarmRuleTarget", "Targets", 0, "Arn"), value="acs:fc:x:y:functions/z"), "Resources.AlarmRuleTarget.Properties.Targets[0].Arn", "/message"),
    Mistake("failure destination", put(*at("AsyncInvoke", "DestinationConfig", "OnFailure", "Destination"), value="acs:mns:x:y:/queues/z"), "Resources.AsyncInvoke.Properties.DestinationConfig.OnFailure.Destination", "/messages"),
    Mistake("alert's name", put(*at("LogAlert", "Detail", "Name"), value="reboots"), "Resources.LogAlert.Properties.Detail.Name", "alert-"),
    Mistake("chart without a search", drop(*at("Dashboard", "Charts", 0, "search")), "Resources.Dashboard.Properties.Charts[0]", "search"),
    Mistake("too large", put("Resources", "Role", "Metadata", value={"note": "x" * 524_288}), "the template", "524288"),
)  # fmt: skip


def test_the_template_has_no_mistakes() -> None:
    assert checks.check(copy.deepcopy(TEMPLATE)) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found_at_its_place(mistake: Mistake) -> None:
    broken = copy.deepcopy(TEMPLATE)
    mistake.make(broken)
    findings = checks.check(broken)
    told = [str(finding) for finding in findings]
    hits = [finding for finding in findings if finding.path == mistake.path]
    assert hits, told
    assert any(mistake.remedy in hit.remedy for hit in hits), told
    # One mistake is not drowned in others that follow from it.
    assert len(findings) <= 6, told


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("Resources:\n  A: {Type: x}\n  A: {Type: y}\n", "line 3", "twice"),
        ("Resources: [unclosed\n", "line 2", "not YAML"),
        ("- a list\n", "the text", "mapping"),
    ],
    ids=["key twice", "not YAML", "no mapping"],
)
def test_what_is_no_template_is_said_so(text: str, place: str, told: str) -> None:
    with pytest.raises(document.UnreadableTemplate) as error:
        document.read(text)
    assert error.value.finding.path == place
    assert told in str(error.value)


def test_a_template_without_a_condition_in_use_is_still_looked_at_in_each_choice() -> None:
    """The default choices alone would not show it: the reference only dangles when the alarm topic is off."""
    broken = copy.deepcopy(TEMPLATE)
    del broken["Outputs"]["AlarmTopicArn"]["Condition"]
    findings = checks.check(broken)
    assert [finding.path for finding in findings] == ["Outputs.AlarmTopicArn.Value.Fn::Sub"]
