"""Stacks end in a state that says what stands: whatever is asked in whatever order, and wherever it is refused."""

import io
import json
import logging
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cloud_languages.template import document
from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.fleet import Fleet
from localcloud.openapi.errors import ApiError
from localcloud.ram.system_roles import EVENT_BRIDGE_SERVICE, SERVICE_LINKED, trust
from localcloud.ros.call import RpcCall
from localcloud.server.services import Services
from stack import code

ROOT = Path(__file__).resolve().parents[3]
ROOT_IDENTITY = Identity(kind="root", name="1234567890123456")
ENDS = ("COMPLETE", "FAILED")
#: More looks than any stack of the template takes.
LOOKS = 100


def _package() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("index.py", "def handle(event, context): return 'ok'\n")
    return made.getvalue()


def _template() -> str:
    own = code.inlined(document.load(ROOT / "template.yml"), _package())
    assert own is not None
    return document.as_json(own)


TEMPLATE = _template()


class Refuses(NamedTuple):
    """RAM refuses an action, or fails itself, from the ``after``-th question on."""

    action: str
    after: int
    breaks: bool = False


class Account:
    """One account with ROS, called in this process."""

    def __init__(self) -> None:
        self.services = Services(Cloud.from_fleet(Fleet()))
        self.services.url = "http://127.0.0.1:1"
        self.account, self.cloud = self.services.account, self.services.cloud
        name, policy = SERVICE_LINKED[EVENT_BRIDGE_SERVICE]
        self.account.roles.create(name, trust(EVENT_BRIDGE_SERVICE), {name: policy})
        self._allowed = self.cloud.authorize

    def call(self, action: str, **parameters: str) -> dict[str, Any]:
        return self.services.ros.carry_out(RpcCall(action, {"RegionId": "cn-hangzhou", **parameters}, ROOT_IDENTITY))

    def refuse(self, refuses: Refuses | None) -> None:
        asked = 0

        def decide(identity: Identity, action: str, resource: Resource) -> bool:
            nonlocal asked
            if refuses and action.startswith(refuses.action):
                asked += 1
                if asked > refuses.after and refuses.breaks:
                    raise RuntimeError("a mistake of the local cloud")
                return asked <= refuses.after
            return self._allowed(identity, action, resource)

        self.cloud.authorize = decide

    def end(self, stack_id: str) -> tuple[str, str]:
        """Look until the stack is at rest; returns status and reason."""
        for _ in range(LOOKS):
            found = self.call("GetStack", StackId=stack_id)
            if found["Status"].endswith(ENDS):
                return found["Status"], found["StatusReason"]
        raise AssertionError(f"{found['Status']} after {LOOKS} looks")

    def stack(self) -> str:
        """Return the ID of the stack that is not deleted, or ''."""
        return next(
            (stack.stack_id for stack in self.services.ros.stacks.values() if stack.status != "DELETE_COMPLETE"), ""
        )

    def deploy(self, parameters: Mapping[str, str]) -> tuple[str, str] | ApiError:
        """Create the stack, or update it where it can be; returns its end, or why it was refused at once."""
        given: dict[str, str] = {}
        for number, (key, value) in enumerate(parameters.items(), start=1):
            given |= {f"Parameters.{number}.ParameterKey": key, f"Parameters.{number}.ParameterValue": value}
        stack_id = self.stack()
        try:
            if stack_id:
                self.call("UpdateStack", StackId=stack_id, TemplateBody=TEMPLATE, UsePreviousParameters="true", **given)
            else:
                stack_id = self.call("CreateStack", StackName="s", TemplateBody=TEMPLATE, **given)["StackId"]
        except ApiError as error:
            return error
        return self.end(stack_id)

    def remove(self) -> tuple[str, str] | None:
        stack_id = self.stack()
        if not stack_id:
            return None
        self.call("DeleteStack", StackId=stack_id)
        return self.end(stack_id)

    def left(self) -> list[str]:
        """Return what is there of what a stack does not keep."""
        account = self.account
        topics, queues = account.messages._topics, account.messages._queues
        rules, timers = account.bus._rules, account.timers._timers
        roles = [name for name in account.roles._roles if name.startswith("ecs-reboot")]
        return [*account.functions.names(), *topics, *queues, *rules, *timers, *roles, *account.http_triggers]


CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"LogDays": "30", "DryRun": "true"},
    {"StateEvents": "true"},
    {"StateEvents": "false", "SystemEvents": "false"},
    {"AgentEvents": "true", "ActionableEvents": "Agent_Status_Stopped"},
    {"WebhookToken": "a-token-of-24-letters-123"},
    {"ScheduleCron": "0 0 4 * * *", "SweepCron": "@every 5m"},
    {"ScheduleCron": "no cron"},
    {"AlarmTopic": "false"},
    {"AlarmRuleId": "cpu"},
    {"AlarmRuleId": "not-there"},
    {"ExampleAlarmInstance": "i-1", "ContactGroup": "ops"},
    {"AlertEmail": "ada@example.com"},
    {"MaxRetries": "3", "ReservedConcurrency": "5"},
    {"Ledger": "tags"},
    {"Ledger": "tablestore", "LedgerInstance": "er-1"},
    {"FunctionName": "another"},
    {"NoSuchParameter": "x"},
)
#: What somebody takes away by hand, behind the stack's back.
BY_HAND = {
    "function": lambda account: account.functions.names() and account.functions.remove("ecs-reboot"),
    "role": lambda account: account.roles.delete("ecs-reboot-cn-hangzhou"),
    "queue": lambda account: account.messages.delete("ecs-reboot-failures"),
    "topic": lambda account: account.messages.delete("ecs-reboot-alarms"),
    "alarm rule": lambda account: account.alarm_rules.pop("cpu", None),
}
DEPLOYS = st.sampled_from(CHANGES).map(lambda parameters: ("deploy", parameters))
REMOVES = st.just(("remove", None))
REFUSALS = st.builds(Refuses, st.sampled_from(["", "fc:", "mns:", "log:", "ram:", "fc:Delete", "fc:Update", "ros:"]),
                     st.integers(0, 40), st.booleans())  # fmt: skip
STEPS = st.one_of(
    DEPLOYS,
    DEPLOYS,
    REMOVES,
    st.none() | REFUSALS.map(lambda refuses: refuses),
    st.sampled_from(list(BY_HAND)).map(lambda what: ("by hand", what)),
)


def said(end: tuple[str, str]) -> bool:
    """Tell whether an end says what happened: success, or a failure of a named thing."""
    status, reason = end
    return bool(reason) and ("FAILED" not in status or ":" in reason)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The mistakes of the local cloud that these tests make are not shown."""
    log = logging.getLogger("localcloud")
    log.setLevel(logging.CRITICAL + 1)
    yield
    log.setLevel(logging.NOTSET)


@pytest.fixture
def own() -> Iterator[Account]:
    made = Account()
    yield made
    made.services.close()


def test_a_stack_is_seen_in_its_own_region_alone(own: Account) -> None:
    topic = {"Type": "ALIYUN::MNS::Topic", "Properties": {"TopicName": "t"}}
    body = json.dumps({"ROSTemplateFormatVersion": "2015-09-01", "Resources": {"T": topic}})
    made = own.call("CreateStack", StackName="s", TemplateBody=body)["StackId"]
    assert own.end(made)[0] == "CREATE_COMPLETE"
    assert own.call("ListStacks")["TotalCount"] == 1
    assert own.call("ListStacks", RegionId="cn-beijing")["TotalCount"] == 0
    for action in ("GetStack", "DeleteStack", "ListStackEvents", "ListStackResources", "GetTemplate"):
        with pytest.raises(ApiError) as refused:
            own.call(action, RegionId="cn-beijing", StackId=made)
        assert refused.value.code == "StackNotFound", action
    for action in ("CreateStack", "PreviewStack"):
        with pytest.raises(ApiError, match="in cn-hangzhou only"):
            own.call(action, RegionId="cn-beijing", StackName="s", TemplateBody=body)
    assert own.call("GetStack", StackId=made)["Status"] == "CREATE_COMPLETE"


def test_what_an_update_made_later_is_taken_away_after_what_needs_it(own: Account) -> None:
    def template(**needs: list[str]) -> str:
        resources = {
            name: {"Type": "ALIYUN::MNS::Topic", "Properties": {"TopicName": name.lower()}, "DependsOn": needed}
            for name, needed in needs.items()
        }
        return json.dumps({"ROSTemplateFormatVersion": "2015-09-01", "Resources": resources})

    stack_id = own.call("CreateStack", StackName="s", TemplateBody=template(First=[]))["StackId"]
    own.end(stack_id)
    own.call("UpdateStack", StackId=stack_id, TemplateBody=template(First=["Second"], Second=[]))
    assert own.end(stack_id)[0] == "UPDATE_COMPLETE"
    assert own.remove() == ("DELETE_COMPLETE", "Stack DELETE completed successfully")
    events = own.services.ros.stacks[stack_id].events
    assert [event.name for event in events if event.status == "DELETE_COMPLETE"] == ["First", "Second", "s"]


def test_a_refused_deletion_is_said_and_taken_up_again(own: Account) -> None:
    own.deploy({})
    own.refuse(Refuses("mns:DeleteQueue", 0))
    end = own.remove()
    assert end is not None
    assert end[0] == "DELETE_FAILED"
    assert end[1].startswith("FailureQueue: NoPermission:")
    own.refuse(None)
    assert own.remove() == ("DELETE_COMPLETE", "Stack DELETE completed successfully")


def test_a_mistake_of_the_local_cloud_ends_a_stack_too(own: Account) -> None:
    own.refuse(Refuses("mns:", 0, breaks=True))
    assert own.deploy({}) == ("CREATE_FAILED", "InternalError: RuntimeError: a mistake of the local cloud")
    own.refuse(None)
    assert own.remove() == ("DELETE_COMPLETE", "Stack DELETE completed successfully")
    assert own.left() == []


@examples(15)
@given(st.lists(STEPS, min_size=2, max_size=7))
def test_any_sequence_ends_in_a_said_state_and_can_be_removed(steps: list[Any]) -> None:
    own = Account()
    own.account.alarm_rules["cpu"] = {"RuleId": "cpu", "RuleName": "cpu", "Namespace": "acs_ecs_dashboard",
                                      "EnableState": True, "Webhook": "", "Targets": {}}  # fmt: skip
    try:
        own.deploy({})
        for step in steps:
            if step is None or isinstance(step, Refuses):
                own.refuse(step)
                continue
            kind, what = step
            if kind == "by hand":
                BY_HAND[what](own.account)
                continue
            try:
                end = own.deploy(what) if kind == "deploy" else own.remove()
            except (ApiError, RuntimeError):
                continue  # RAM refused the call itself
            if isinstance(end, tuple):
                assert said(end), end
        own.refuse(None)
        if under_way := own.stack():
            assert said(own.end(under_way))
        end = own.remove()
        assert end is None or end[0] == "DELETE_COMPLETE", end
        assert own.left() == []
    finally:
        own.services.close()
