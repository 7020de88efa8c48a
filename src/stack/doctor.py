"""Doctor: what will and will not work tonight, found out by calls that only read.

It reads what the stack was made from and looks at the pieces as they are now; what it can't see from outside (whether a
role was changed by hand since) it does not claim.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple

from alibabacloud_cms20190101 import models as cms
from aliyun.log import LogException
from Tea.exceptions import TeaException

from cloud_languages.ram_policy import evaluate
from cloud_languages.template import document
from cloud_languages.template.parameters import typed
from cloud_languages.template.render import decide, rendered
from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.model import Instance, RebootRequest, Selector, Target
from ecs_reboot.policy.decide import decide as decided
from ecs_reboot.policy.facts import Facts
from ecs_reboot.settings.settings import Settings, SettingsError, load
from stack import fleet, permissions, rights
from stack.checks import timer_request
from stack.clients import Clients, NoCredentials
from stack.function_output import newest_run
from stack.ledger import HOW_TO_ACTIVATE, TABLE, LedgerTable, LedgerUnseen, mistakes, not_activated, outgrown
from stack.logstores import LogStores
from stack.make_command import absent, make
from stack.refusals import sentence
from stack.roles import AccountRoles
from stack.stacks import FoundStack, Stacks

#: Requests are signed with the time; from 15 minutes on they are refused.
SKEW_NOTED, SKEW_REFUSED = 60, 900
SECONDS = 600.0
#: What is there of the ledger -> the parameter that makes the rest.
_EXISTS = {"nothing": "false", "instance": "instance"}


class Result(NamedTuple):
    """One thing looked at: good, worth a note, or bad."""

    level: Literal["good", "note", "bad"]
    subject: str
    sentence: str


#: Stands for a secret that the service does not show, where its form is read.
_HIDDEN = {"NOTIFY": "webhook=https://hidden.invalid/", "NOTIFY_SECRET": "hidden"}


class Deployed(NamedTuple):
    """A stack with what its template makes under its parameters. Secrets stand as asterisks."""

    found: FoundStack
    resources: Mapping[str, Mapping[str, Any]]

    def environment(self) -> dict[str, str]:
        """Return the function's variables, with the names of what was made later put in."""
        outputs = self.found.outputs
        own = dict(self.resources["Function"]["Properties"]["EnvironmentVariables"])
        own["LOG_PROJECT"] = str(outputs.get("LogProject") or own["LOG_PROJECT"])
        own["LOGSTORE"] = f"{outputs.get('FunctionName')}-records"
        # What is not echoed comes back as asterisks, which are no address.
        own |= {name: text for name, text in _HIDDEN.items() if set(str(own.get(name, ""))) == {"*"}}
        return own


def examine(clients: Clients, stacks: Stacks, name: str, endpoint: str) -> Iterator[Result]:
    """Look at one thing after the other; what can't be looked at is a result too."""
    try:
        account, answer = _identity(clients)
    except NoCredentials as error:
        yield Result("bad", "credentials", str(error))
        return
    except TeaException as error:
        yield Result("bad", "credentials", sentence(error, endpoint, clients.region))
        return
    yield Result("good", "credentials", f"you are {answer.body.arn} of the account {account}")
    yield _clock(answer.headers)
    found = stacks.find(name)
    if found is None:
        yield Result("bad", "stack", f"{absent(stacks, clients, name)}: {make('deploy', clients, name)}")
        return
    yield _stack(clients, found)
    if not found.outputs:
        return
    deployed = _deployed(stacks, found, clients.region, account)
    settings = None
    try:
        settings = load(deployed.environment())
    except SettingsError as error:
        yield from (Result("bad", "settings", str(mistake)) for mistake in error.mistakes)
    if settings:
        yield from _settings(settings)
        yield _notices(str(found.parameters.get("AlertEmail") or ""), in_chat=bool(found.outputs.get("Notices")))
    yield from _timers(deployed)
    yield from _rights(clients, deployed, account)
    yield from _guarded("roles", _account_roles(clients, deployed))
    yield from _guarded("logs", _logs(clients, found))
    yield from _guarded("function", _function(clients, found))
    yield from _ledger(clients, deployed)
    yield from _guarded("alarms", _alarms(clients, found))
    if settings:
        yield from _guarded("instances", _instances(clients, settings))


def _timers(deployed: Deployed) -> Iterator[Result]:
    """Read what the timers send as the function will: it is rejected each time, and nobody waits for the answer."""
    for resource in deployed.resources.values():
        made = resource["Properties"]
        if resource["Type"] == "ALIYUN::FC3::Trigger" and made["TriggerType"] == "timer":
            for why in timer_request.mistakes(str(made["TriggerConfig"].get("payload", ""))):
                yield Result("bad", "timers", f"the function rejects what the timer {made['TriggerName']} sends: {why}")


def _guarded(subject: str, results: Iterator[Result]) -> Iterator[Result]:
    """Give results up to a call that is refused, and then that."""
    try:
        yield from results
    except TeaException as error:
        yield Result("note", subject, f"can't be looked at with these credentials: {error.code}: {error.message}")
    except LogException as error:
        yield Result("note", subject, f"can't be looked at with these credentials: {error.get_error_message()}")
    except CloudError as error:
        yield Result("note", subject, f"can't be looked at with these credentials: {error}")


def _identity(clients: Clients) -> tuple[str, Any]:
    answer = clients.sts.get_caller_identity()
    return str(answer.body.account_id), answer


def _clock(headers: Mapping[str, str]) -> Result:
    cloud_time = headers.get("date", "")
    if not cloud_time:
        return Result("note", "clock", "the answer had no date to compare with")
    skew = abs((datetime.now(timezone.utc) - parsedate_to_datetime(cloud_time)).total_seconds())
    level: Literal["good", "note", "bad"] = "bad" if skew > SKEW_REFUSED else "note" if skew > SKEW_NOTED else "good"
    return Result(level, "clock", f"this machine is {skew:.0f} s from the service's time")


def _stack(clients: Clients, found: FoundStack) -> Result:
    if found.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return Result("good", "stack", f"{found.name} is {found.status}")
    return Result(
        "bad", "stack", f"{found.name} is {found.status}: {found.reason}; again: {make('deploy', clients, found.name)}"
    )


def _deployed(stacks: Stacks, found: FoundStack, region: str, account: str) -> Deployed:
    template = document.read(stacks.template(found))
    values: dict[str, Any] = {
        name: typed(found.parameters.get(name, declared.get("Default")), declared)
        for name, declared in template["Parameters"].items()
    }
    pseudo = {
        "ALIYUN::AccountId": account,
        "ALIYUN::Region": region,
        "ALIYUN::StackId": found.stack_id,
        "ALIYUN::StackName": found.name,
        "ALIYUN::TenantId": account,
    }
    return Deployed(found, rendered(decide(template, values | pseudo))["Resources"])


def settings_of(stacks: Stacks, found: FoundStack, region: str, account: str) -> Settings:
    """Return the settings of the function that a stack made. Raises SettingsError."""
    return load(_deployed(stacks, found, region, account).environment())


def _settings(settings: Settings) -> Iterator[Result]:
    now = datetime.now(timezone.utc)
    paused = settings.policy.paused
    if paused and paused.in_force(now):
        yield Result("bad", "settings", f"nothing is rebooted, the function is paused: {paused.sentence()}")
    if settings.dry_run:
        yield Result("note", "settings", "nothing is rebooted: DryRun is on")
    observes = settings.policy.mode == "observe"
    if observes:
        yield Result("note", "settings", "nothing is rebooted: Mode is observe (`make digest`)")
    if settings.policy.force_reboot == "always":
        yield Result("note", "settings", "every reboot is forced, like pulling the plug: unwritten data is lost")
    if not (paused and paused.in_force(now)) and not settings.dry_run and not observes:
        yield Result("good", "settings", f"reboots are on, force is {settings.policy.force_reboot}")


def _notices(alert_email: str, *, in_chat: bool) -> Result:
    """Return the finding on who hears of a reboot, and of what needs a person."""
    if in_chat:
        return Result("good", "notices", "a chat is told of reboots and of what needs a person")
    if alert_email:
        return Result("note", "notices", f"only {alert_email} is told, of what needs a person: Notify names no chat")
    return Result("note", "notices", "nobody is told, whatever happens: name a chat by Notify, or set AlertEmail")


def _rights(clients: Clients, deployed: Deployed, account: str) -> Iterator[Result]:
    """Judge what the stack gave the role by what this version of the code calls."""
    region = clients.region
    role = deployed.resources["Role"]["Properties"]
    granted = role["Policies"][0]["PolicyDocument"]
    value = str(deployed.environment()["OPT_IN_TAG"]).partition("=")[2]
    environment = deployed.environment()
    project, function = environment["LOG_PROJECT"], deployed.found.outputs["FunctionName"]
    context = {
        f"acs:ResourceTag/{rights.OPT_IN_KEY}": value,
        f"acs:RequestTag/{rights.LEDGER_KEY}": "v1",
        f"acs:RequestTag/{rights.OBSERVED_KEY}": "v1",
    }
    places = {
        "ecs": f"acs:ecs:{region}:{account}:instance/i-1",
        "log": f"acs:log:{region}:{account}:project/{project}/logstore/{environment['LOGSTORE']}",
        "fc": f"acs:fc:{region}:{account}:functions/{function}",
        "ots": f"acs:ots:{region}:{account}:instance/{environment.get('TABLESTORE_INSTANCE', '')}/table/"
        f"{environment.get('TABLESTORE_TABLE', '')}",
        "oss": f"acs:oss:{region}:{account}:{environment.get('EVIDENCE_BUCKET', '')}/i-1/console.txt",
        "ecs:DescribeSnapshots": f"acs:ecs:{region}:{account}:snapshot/s-1",
        "ess": f"acs:ess:{region}:{account}:scalinggroup/asg-1",
        "cms": f"acs:cms:{region}:{account}:metric/1",
    }
    missing = [
        right.action
        for right in permissions.needed(environment)
        if right.effect == "Allow"
        and not evaluate(
            granted, right.action, places.get(right.action) or places[right.action.partition(":")[0]], context
        ).allowed
    ]
    if missing:
        yield Result(
            "bad",
            "role",
            f"{role['RoleName']} lacks {', '.join(missing)}: {make('deploy', clients, deployed.found.name)}",
        )
    else:
        granted = (
            "the stack gave it every right that the code needs; whether that was changed by hand can't be seen here"
        )
        yield Result("good", "role", f"{role['RoleName']}: {granted}")


def _account_roles(clients: Clients, deployed: Deployed) -> Iterator[Result]:
    """Look for the account's roles that services need beside the stack's own."""
    there = []
    for state in AccountRoles(clients).look(deployed.resources):
        role = state.role
        if state.found == "there":
            there.append(role.name)
        elif state.found == "missing":
            yield Result("bad", "roles", f"{role.name} is missing: {role.lost}. To make it: {role.by_hand}")
        else:
            yield Result("note", "roles", f"whether {role.name} is there can't be seen: {state.sentence}")
    if there:
        yield Result("good", "roles", f"there are {', '.join(there)}")


def _ledger(clients: Clients, deployed: Deployed) -> Iterator[Result]:
    """Look at the table that remembers, where the stack has one."""
    environment = deployed.environment()
    if environment.get("LEDGER") != rights.TABLESTORE:
        yield Result("good", "ledger", "attempts are remembered in a tag on each instance (Ledger=tags)")
        return
    instance = environment["TABLESTORE_INSTANCE"]
    try:
        standing = LedgerTable(clients, instance).look()
    except LedgerUnseen as error:
        yield Result("note", "ledger", f"can't be looked at from here: {error}")
        return
    if standing.table is None:
        why = not_activated(clients)
        activate = f" Tablestore may not be activated ({why}): {HOW_TO_ACTIVATE}." if why else ""
        missing = "no such instance" if standing.found == "nothing" else f"no table {TABLE}"
        remedy = f"Deploy with LedgerExists={_EXISTS[standing.found]}"
        yield Result("bad", "ledger", f"{instance}: {missing}, so nothing is rebooted.{activate} {remedy}")
        return
    wrong = mistakes(standing.table)
    yield from (Result("bad", "ledger", f"the table {TABLE} in {instance}: {mistake}") for mistake in wrong)
    if not wrong:
        yield Result("good", "ledger", f"the table {TABLE} in {instance} is there and forgets nothing")


def _logs(clients: Clients, found: FoundStack) -> Iterator[Result]:
    project, function = str(found.outputs["LogProject"]), found.outputs["FunctionName"]
    there = LogStores(clients).of(project)
    missing = {f"{function}-records", f"{function}-function"} - (there or set())
    if missing:
        yield Result("bad", "logs", f"{project} has no {', '.join(sorted(missing))}: records are only printed")
    else:
        yield Result("good", "logs", f"{project} has both logstores")


def _function(clients: Clients, found: FoundStack) -> Iterator[Result]:
    """Say from its own output whether it starts. A function that can't start leaves no record of any alarm."""
    logstore = f"{found.outputs['FunctionName']}-function"
    run = newest_run(LogStores(clients), str(found.outputs["LogProject"]), logstore)
    if run is None:
        unknown = (
            "it has not run in the last day, so its output does not say whether it starts: send it the TestCommand"
        )
        yield Result("note", "function", unknown)
    else:
        yield Result("bad" if run.why else "good", "function", run.sentence())


def _alarms(clients: Clients, found: FoundStack) -> Iterator[Result]:
    topic, url = str(found.outputs.get("AlarmTopicArn") or ""), str(found.outputs.get("WebhookUrl") or "")
    request = cms.DescribeMetricRuleListRequest(namespace="acs_ecs_dashboard", page="1", page_size="100")
    listed = clients.cms.describe_metric_rule_list(request).body.alarms
    rules = list((listed.alarm if listed else None) or [])
    led = 0
    for rule in rules:
        targets = cms.DescribeMetricRuleTargetsRequest(rule_id=rule.rule_id)
        answer = clients.cms.describe_metric_rule_targets(targets).body.targets
        places = [target.arn or "" for target in (answer.target if answer else None) or []]
        ours = (topic and topic in places) or (url and _webhook(rule.webhook).startswith(url.partition("?")[0]))
        led += bool(ours)
        if ours and rule.enable_state is False:
            yield Result("note", "alarms", f"{rule.rule_name} leads here but is disabled")
        for place in places:
            if place.startswith("acs:fc:") and f"functions/{found.outputs['FunctionName']}" not in place:
                yield Result("note", "alarms", f"{rule.rule_name} calls another function: {place}")
    sentence = f"{led} of {len(rules)} ECS alarm rules lead to this function"
    yield Result("good" if led else "note", "alarms", sentence if led else f"{sentence}; see docs/operate/deploy.md")


def _webhook(text: str | None) -> str:
    """Return the address of a rule's callback, which comes as JSON or as a bare URL."""
    if not text:
        return ""
    try:
        endpoint = json.loads(text)
    except ValueError:
        return text
    return str(endpoint.get("url", "")) if isinstance(endpoint, dict) else text


def _instances(clients: Clients, settings: Settings) -> Iterator[Result]:
    ecs = fleet.ecs(clients, Deadline(SystemClock(), SECONDS))
    wanted = settings.policy.opt_in_tag
    key = wanted[0] if wanted else ""
    opted_in = 0
    for page in ecs.select(Selector(region_id=clients.region)):
        for instance in page:
            if key and key not in dict(instance.tags):
                continue
            opted_in += 1
            if objection := refusal(instance, settings):
                name = f" ({instance.name})" if instance.name not in ("", instance.instance_id) else ""
                yield Result("note", "instances", f"{instance.instance_id}{name}: {objection}")
    if settings.policy.ledger == "tags" and (too_many := outgrown(opted_in)):
        yield Result("note", "ledger", too_many)
    sentence = f"{opted_in} instances of {clients.region} carry the tag {key}" if key else f"{opted_in} instances"
    yield Result("good" if opted_in else "note", "instances", sentence)


def refusal(instance: Instance, settings: Settings) -> str:
    """Return why an alarm for this instance would be refused now; '' if it would not.

    The region's ledger is left out: how many others were rebooted lately is asked when an alarm comes.
    """
    now = datetime.now(timezone.utc)
    target = Target(instance_id=instance.instance_id, region_id=instance.region_id)
    request = RebootRequest(trigger="cms_threshold", evidence="doctor", targets=(target,), event_time=now)
    facts = Facts(request=request, target=target, instance=instance, policy=settings.policy, now=now)
    decision = decided(facts)
    return f"{decision.code}: {decision.reason}" if decision.action == "skip" else ""
