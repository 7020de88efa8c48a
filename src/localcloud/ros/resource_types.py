"""How each resource type of a template is made in the account, and taken away again."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloud_languages import resource_names
from cloud_languages.ram_policy import UnsupportedPolicy
from localcloud.eventbridge import bus
from localcloud.functioncompute.api.async_invoke import read_config
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.function import ENDPOINTS, Function, InvalidFunction
from localcloud.mns.errors import MessageError
from localcloud.mns.messages import Subscription
from localcloud.oss.signature import OssError
from localcloud.ram.roles import RoleRefusal
from localcloud.ram.system_roles import EVENT_BRIDGE, EVENT_BRIDGE_SERVICE, TRIGGERS, trust
from localcloud.ros.account import FUNCTION_SERVICE, MESSAGE_SERVICE, Denied, RosAccount, queue_of
from localcloud.sls.errors import SlsError
from localcloud.tablestore.errors import OtsError

Properties = Mapping[str, Any]


class Made(NamedTuple):
    """A resource that is there: what ``Ref`` gives, its attributes, and how to take it away.

    ``change`` updates it in place; without one it holds nothing, and an update takes it away and makes it again.
    """

    physical_id: str
    attributes: Mapping[str, str]
    undo: Callable[[], None]
    change: Callable[[Properties], None] | None = None


class NotMade(Exception):
    """A service refused to make a resource; the text is the reason that the stack's event shows."""


#: How the services say no.
_REFUSALS = (
    RoleRefusal,
    FcError,
    InvalidFunction,
    MessageError,
    OssError,
    OtsError,
    SlsError,
    UnsupportedPolicy,
    ValueError,
    Denied,
)
#: In the codes of all services for what is not there.
_GONE = ("NotExist", "NotFound")


def make(account: RosAccount, type_name: str, properties: Properties) -> Made:
    """Make one resource. Raises NotMade."""
    maker = _MAKERS.get(type_name)
    if maker is None:
        raise NotMade(f"the local cloud does not make {type_name}")
    if rule := resource_names.RULES.get(type_name):
        name = str(properties.get(rule.key, ""))
        if mistake := rule.mistake(name):
            raise NotMade(f"{rule.code}: {rule.key} {name!r}: {mistake}")
    try:
        return maker(account, properties)
    except _REFUSALS as error:
        raise NotMade(str(error)) from error
    except KeyError as error:
        raise NotMade(f"property {error} is missing") from error


def change(made: Made, properties: Properties) -> Made:
    """Update a resource in place, one that has ``change``. Raises NotMade."""
    if made.change:
        try:
            made.change(properties)
        except _REFUSALS as error:
            raise NotMade(str(error)) from error
    return made


def take_away(made: Made) -> None:
    """Take a resource away; one that somebody else has taken away is gone too. Raises NotMade."""
    try:
        made.undo()
    except _REFUSALS as error:
        code = str(getattr(error, "code", "")) or str(error)
        if not any(word in code for word in _GONE):
            raise NotMade(str(error)) from error


def _project(account: RosAccount, properties: Properties) -> Made:
    name = properties["Name"]
    account.stores.create_project(name)
    return Made(name, {"Name": name}, lambda: account.stores.delete_project(name), lambda _properties: None)


def _logstore(account: RosAccount, properties: Properties) -> Made:
    project, name = properties["ProjectName"], properties["LogstoreName"]
    account.stores.create_logstore(project, name)
    attributes = {"LogstoreName": name, "ProjectName": project}
    return Made(name, attributes, lambda: account.stores.delete_logstore(project, name), lambda _properties: None)


def _index(account: RosAccount, properties: Properties) -> Made:
    project, logstore = properties["ProjectName"], properties["LogstoreName"]
    account.stores.logstore(project, logstore)
    # An index goes with its logstore, so one of before can only be that of a logstore which is gone.
    account.kept["Index", f"{project}/{logstore}"] = properties
    return Made(logstore, {}, lambda: None)


def _role(account: RosAccount, properties: Properties) -> Made:
    policies = {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}
    role = account.roles.create(properties["RoleName"], properties["AssumeRolePolicyDocument"], policies)
    attributes = {"Arn": role.arn, "RoleName": role.name, "RoleId": role.name}
    return Made(role.name, attributes, lambda: account.roles.delete(role.name))


def _function(account: RosAccount, properties: Properties) -> Made:
    name, role = properties["FunctionName"], account.roles.assumable(properties["Role"], FUNCTION_SERVICE)
    if name in account.functions.names() and not account.functions.find(name).provided:
        raise RoleRefusal(f"FunctionAlreadyExists: {name}")
    if "InstanceConcurrency" in properties:
        raise RoleRefusal(f"InvalidArgument: instanceConcurrency can't be set for the runtime {properties['Runtime']}")
    if empty := [variable for variable, value in properties["EnvironmentVariables"].items() if value == ""]:
        raise RoleRefusal(f"InvalidArgument: environment variables without a value: {', '.join(empty)}")
    code = properties["Code"]
    if "ZipFile" in code:
        package = base64.b64decode(code["ZipFile"], validate=True)
    else:
        package = account.oss.get(code["OssBucketName"], code["OssObjectName"])
    logs = properties.get("LogConfig", {})
    account.stores.logstore(logs["Project"], logs["Logstore"])
    url = account.url()
    function = Function(
        name=name,
        code_path=account.unpacked(package, name),
        credentials=account.session(role),
        handler=properties["Handler"],
        initializer=properties.get("InstanceLifecycleConfig", {}).get("Initializer", {}).get("Handler", ""),
        timeout=properties["Timeout"],
        memory_mb=properties["MemorySize"],
        # Nothing else is changed.
        environment={**properties["EnvironmentVariables"], **dict.fromkeys(ENDPOINTS, url)},
        runtime=properties["Runtime"],
        account_id=account.cloud.account,
        region=account.region,
        log_project=logs["Project"],
        log_store=logs["Logstore"],
    )
    account.functions.register(
        function,
        # An update puts another function in place of the one before, and what was set beside it stays.
        async_config=account.async_configs.get(name),
        reserved=account.reserved.get(name),
        logged=account.log(name, role, logs["Project"], logs["Logstore"]),
    )
    account.function_roles[name] = role

    def undo() -> None:
        account.function_roles.pop(name, None)
        account.functions.remove(name)

    return Made(name, {"ARN": account.functions.arn(name), "FunctionName": name, "FunctionId": name}, undo)


def _async_config(account: RosAccount, properties: Properties) -> Made:
    name = _deployed(account, properties)
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        queue_of(destination)
        account.require_settled(account.function_roles[name], "mns:SendMessage", destination)
    config = read_config(_camel({key: value for key, value in properties.items() if key != "FunctionName"}))
    account.async_configs[name] = config
    account.functions.configure(name, async_config=config)

    def undo() -> None:
        account.async_configs.pop(name, None)
        account.functions.configure(name, async_config=None)

    return Made(name, {}, undo)


def _concurrency(account: RosAccount, properties: Properties) -> Made:
    name = _deployed(account, properties)
    account.reserved[name] = int(properties["ReservedConcurrency"])
    account.functions.reserve(name, account.reserved[name])

    def undo() -> None:
        account.reserved.pop(name, None)
        account.functions.reserve(name, None)

    return Made(name, {}, undo)


def _camel(value: Any) -> Any:
    """Write the keys of a template's properties as Function Compute's API has them."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(item) for key, item in value.items()}
    return value


def _trigger(account: RosAccount, properties: Properties) -> Made:
    function, name = _deployed(account, properties), properties["TriggerName"]
    made = _TRIGGERS[properties["TriggerType"]](account, function, f"{function}/{name}", properties)
    own = {"FunctionName": function, "TriggerName": name, "TriggerId": f"{function}/{name}"}
    return made._replace(attributes={**own, **made.attributes})


def _event_trigger(account: RosAccount, function: str, name: str, properties: Properties) -> Made:
    config = properties["TriggerConfig"]
    if (source := config["eventSourceConfig"].get("eventSourceType", bus.CLOUD_SERVICES)) != bus.CLOUD_SERVICES:
        known = f"the local cloud has the bus default alone, whose source is {bus.CLOUD_SERVICES}"
        raise RoleRefusal(f"InvalidArgument: eventSourceType {source}: {known}")
    account.require_service(EVENT_BRIDGE, EVENT_BRIDGE_SERVICE, "fc:InvokeFunction", account.functions.arn(function))
    if account.roles.get(TRIGGERS) is None:
        account.roles.create(TRIGGERS, trust("fc.aliyuncs.com"), {})
    deliver = account.from_bus(function, account.functions.delivery(function, source=name))
    account.bus.add(name, config["eventRuleFilterPattern"], deliver)
    if not config["triggerEnable"]:
        account.bus.remove(name)
    return Made(name, {}, lambda: account.bus.remove(name))


def _timer_trigger(account: RosAccount, function: str, name: str, properties: Properties) -> Made:
    config = properties["TriggerConfig"]
    if config["enable"]:
        now, call = account.cloud.clock.now(), account.functions.delivery(function, source=name)
        account.timers.add(name, config["cronExpression"], config.get("payload", ""), call, now)
    return Made(name, {}, lambda: account.timers.remove(name))


def _topic_trigger(account: RosAccount, function: str, name: str, properties: Properties) -> Made:
    config = properties["TriggerConfig"]
    role = account.roles.assumable(properties["InvocationRole"], MESSAGE_SERVICE)
    topic = properties["SourceArn"].partition(":/topics/")[2]
    arn = account.functions.arn(function)

    call = account.functions.delivery(function, source=name)

    def deliver(event: bytes) -> None:
        account.require(role, "fc:InvokeFunction", arn)
        call(event)

    account.messages.subscribe(topic, Subscription(name, config["notifyContentFormat"], deliver))
    return Made(name, {}, lambda: account.messages.unsubscribe(topic, name))


def _http_trigger(account: RosAccount, function: str, name: str, properties: Properties) -> Made:
    account.http_triggers[function] = name, properties["TriggerConfig"]
    url = f"{account.url()}/_http/{function}/"

    def undo() -> None:
        account.http_triggers.pop(function, None)

    return Made(name, {"UrlInternet": url, "UrlIntranet": url}, undo)


_TRIGGERS = {
    "eventbridge": _event_trigger,
    "timer": _timer_trigger,
    "mns_topic": _topic_trigger,
    "http": _http_trigger,
}


def _topic(account: RosAccount, properties: Properties) -> Made:
    name = properties["TopicName"]
    account.messages.create_topic(name)
    return Made(name, {"TopicName": name}, lambda: account.messages.delete(name))


def _queue(account: RosAccount, properties: Properties) -> Made:
    name = properties["QueueName"]
    account.messages.create_queue(name)
    return Made(name, {"QueueName": name}, lambda: account.messages.delete(name))


def _alarm_rule(account: RosAccount, properties: Properties) -> Made:
    rule_id = str(properties["RuleId"])
    if rule_id in account.alarm_rules:
        raise RoleRefusal(f"AlreadyExists: the alarm rule {rule_id}")
    account.alarm_rules[rule_id] = {
        "RuleId": rule_id,
        "RuleName": properties.get("RuleName", rule_id),
        "Namespace": properties["Namespace"],
        "EnableState": True,
        "Webhook": properties.get("Webhook", ""),
        "Targets": {},
    }

    def undo() -> None:
        account.alarm_rules.pop(rule_id, None)

    return Made(rule_id, {"RuleId": rule_id}, undo)


def _alarm_targets(account: RosAccount, properties: Properties) -> Made:
    rule_id = str(properties["RuleId"])
    if rule_id not in account.alarm_rules:
        raise RoleRefusal(f"ResourceNotFound: there is no alarm rule {rule_id}")
    targets = account.alarm_rules[rule_id]["Targets"]
    for target in properties["Targets"]:
        # The target that has this ID already is replaced, whoever put it there.
        targets[str(target["Id"])] = target["Arn"]

    def undo() -> None:
        for target in properties["Targets"]:
            targets.pop(str(target["Id"]), None)

    return Made(rule_id, {}, undo)


def _table_store(account: RosAccount, properties: Properties) -> Made:
    name, networks = str(properties["InstanceName"]), properties.get("NetworkTypeACL", ("VPC", "CLASSIC"))
    if not account.tablestore_activated:
        raise RoleRefusal(f"Tablestore is not activated in the account {account.cloud.account}")
    instance = account.ots.instances.create(name, account.region, networks)

    def change(changed: Properties) -> None:
        instance.networks = frozenset(changed.get("NetworkTypeACL", instance.networks))

    return Made(name, {"InstanceName": name}, lambda: account.ots.instances.delete(name), change)


def _table(account: RosAccount, properties: Properties) -> Made:
    instance, name = account.ots.instances.get(str(properties["InstanceName"])), str(properties["TableName"])
    if instance is None:
        raise RoleRefusal(f"OTSAuthFailed: the instance {properties['InstanceName']} is not found")
    key = tuple((str(column["Name"]), str(column["Type"])) for column in properties["PrimaryKey"])
    options = {"time_to_live": int(properties["TimeToLive"]), "max_versions": int(properties["MaxVersions"])}
    instance.create_table(name, key, options)
    return Made(name, {"TableName": name}, lambda: instance.delete_table(name), lambda _properties: None)


def _bucket(account: RosAccount, properties: Properties) -> Made:
    name, force = str(properties["BucketName"]), bool(properties.get("DeletionForce"))
    account.oss.make(name, account.region)

    def undo() -> None:
        account.oss.remove(name, force=force)

    host = f"{name}.oss-{account.region}.aliyuncs.com"
    return Made(name, {"Name": name, "DomainName": host}, undo, lambda _: None)


def _sleep(account: RosAccount, properties: Properties) -> Made:
    account.sleep(float(properties.get("CreateDuration", 0)))
    return Made("sleep", {}, lambda: None)


def _kept(
    kind: str, name_of: Callable[[Properties], str], attribute: str = ""
) -> Callable[[RosAccount, Properties], Made]:
    """Make what is only kept: nothing in the local cloud acts on it."""

    def keep(account: RosAccount, properties: Properties) -> Made:
        key = kind, name_of(properties)
        if key in account.kept:
            raise RoleRefusal(f"AlreadyExists: {kind} {key[1]}")
        account.kept[key] = properties

        def undo() -> None:
            account.kept.pop(key, None)

        return Made(key[1], {attribute: key[1]} if attribute else {}, undo)

    return keep


def _deployed(account: RosAccount, properties: Properties) -> str:
    name = str(properties["FunctionName"])
    account.functions.find(name)
    return name


_MAKERS: Mapping[str, Callable[[RosAccount, Properties], Made]] = {
    "ALIYUN::CMS::MetricRuleTargets": _alarm_targets,
    "ALIYUN::CMS::ResourceMetricRule": _alarm_rule,
    "ALIYUN::FC3::AsyncInvokeConfig": _async_config,
    "ALIYUN::FC3::ConcurrencyConfig": _concurrency,
    "ALIYUN::FC3::Function": _function,
    "ALIYUN::FC3::Trigger": _trigger,
    "ALIYUN::MNS::Queue": _queue,
    "ALIYUN::MNS::Topic": _topic,
    "ALIYUN::OSS::Bucket": _bucket,
    "ALIYUN::OTS::InstanceV2": _table_store,
    "ALIYUN::OTS::Table": _table,
    "ALIYUN::RAM::Role": _role,
    "ALIYUN::ROS::Sleep": _sleep,
    "ALIYUN::SLS::Alert": _kept("Alert", lambda project: str(project["Detail"]["Name"]), "Name"),
    "ALIYUN::SLS::Dashboard": _kept("Dashboard", lambda dashboard: str(dashboard["DashboardName"]), "DashboardName"),
    "ALIYUN::SLS::Index": _index,
    "ALIYUN::SLS::Logstore": _logstore,
    "ALIYUN::SLS::Project": _project,
}
