import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from local_deployment import NOT_OPTED_IN, OPTED_IN, ROOT, by_topic, deploy, idle, logged, records
from Tea.exceptions import TeaException

from cloud_languages.ram_granularity import is_for_all_resources
from cloud_languages.ram_policy import UnsupportedPolicy, evaluate
from cloud_languages.template import document
from cloud_languages.template.render import plan, rendered
from ecs_reboot.ledger import entry as ledger
from localcloud.account.tag_rules import key_mistake
from localcloud.ros.account import Denied
from localcloud.server.server import Running
from stack import checks, generate, permissions, rights
from stack.calls import calls
from stack.permissions import PERMISSIONS
from stack.rights import FUNCTION

ARN = "acs:ecs:cn-hangzhou:1234567890123456:instance/i-1"


def test_every_call_of_the_code_has_a_right_and_every_right_a_call() -> None:
    # The doctor looks at the table with its own caller's credentials, through the same client.
    made = calls(ROOT / "src" / "ecs_reboot").keys() - {"DescribeTable"}
    granted = {right.call for right in PERMISSIONS if right.by == FUNCTION}
    assert made == granted


def test_a_right_is_named_after_its_call_unless_a_page_says_otherwise() -> None:
    for right in PERMISSIONS:
        service = right.action.partition(":")[0]
        assert right.action == permissions.ACTIONS_OF_CALLS.get(right.call, f"{service}:{right.call}")


def test_what_ram_can_not_narrow_is_granted_on_everything_and_nothing_else_is() -> None:
    """RAM's tables give it as All Resources: a narrower resource grants nothing, so nothing would be rebooted."""
    for right in PERMISSIONS:
        assert is_for_all_resources(right.action) is (right.resource == rights.EVERYTHING), right.action
    narrow = {"Effect": "Allow", "Action": ["ecs:ListTagResources", "cms:QueryMetricLast", "ecs:DescribeInstances"]}
    policy = {"Version": "1", "Statement": [{**narrow, "Resource": ["acs:ecs:*:*:instance/*"]}]}
    assert not evaluate(policy, "ecs:ListTagResources", ARN, {}).allowed
    assert not evaluate(policy, "cms:QueryMetricLast", ARN, {}).allowed
    assert evaluate(policy, "ecs:DescribeInstances", ARN, {}).allowed
    policy = {"Version": "1", "Statement": [{**narrow, "Resource": ["*"]}]}
    assert evaluate(policy, "ecs:ListTagResources", ARN, {}).allowed


def test_a_deny_on_a_narrower_resource_denies_nothing_either() -> None:
    statements = [
        {"Effect": "Allow", "Action": ["ecs:*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["ecs:ListTagResources"], "Resource": [ARN]},
    ]
    assert evaluate({"Version": "1", "Statement": statements}, "ecs:ListTagResources", ARN, {}).allowed


TABLE = "acs:ots:cn-hangzhou:1234567890123456:instance/er-1/table/ecs_reboot"


def test_with_the_table_no_tag_can_be_written_and_with_tags_no_row() -> None:
    in_table = function_policy(Ledger="tablestore", LedgerInstance="er-1")
    of_tags = function_policy(Ledger="tags")
    context = {"acs:ResourceTag/ecs-reboot": "enabled", "acs:RequestTag/ecs-reboot.ledger": "v1"}
    assert not evaluate(in_table, "ecs:TagResources", ARN, context).allowed
    assert evaluate(of_tags, "ecs:TagResources", ARN, context).allowed
    for action in ("ots:BatchGetRow", "ots:PutRow", "ots:BatchWriteRow", "ots:GetRange"):
        assert evaluate(in_table, action, TABLE, {}).allowed
        assert not evaluate(in_table, action, TABLE.replace("ecs_reboot", "orders"), {}).allowed
        assert not evaluate(of_tags, action, TABLE, {}).allowed
    for action in ("ots:DeleteRow", "ots:DeleteTable", "ots:UpdateTable"):
        assert not evaluate(in_table, action, TABLE, {}).allowed


def test_the_function_may_call_itself_and_no_other() -> None:
    functions = "acs:fc:cn-hangzhou:1234567890123456:functions/"
    for policy in (function_policy(Ledger="tags"), function_policy(Ledger="tablestore")):
        assert evaluate(policy, "fc:InvokeFunction", f"{functions}ecs-reboot", {}).allowed
        assert evaluate(policy, "fc:InvokeFunction", f"{functions}ecs-reboot/LATEST", {}).allowed
        assert not evaluate(policy, "fc:InvokeFunction", f"{functions}ecs-reboot-2", {}).allowed
        assert not evaluate(policy, "fc:UpdateFunction", f"{functions}ecs-reboot", {}).allowed


def test_a_call_is_found_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("client.stop_instances_with_options(request, runtime)\n")
    (tmp_path / "two.py").write_text("call('delete_instances_with_options')\npath = f'/logstores/{name}/logs'\n")
    assert calls(tmp_path) == {"StopInstances": "one.py", "DeleteInstances": "two.py", "GetLogs": "two.py"}


def test_the_files_hold_what_is_generated() -> None:
    pages = (("template.yml", generate.template_text), ("docs/operate/permissions.md", generate.permissions_page))
    for name, write in pages:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert write(text) == text, f"{name}: run `make docs`"


def test_keys_of_the_policy_are_those_of_the_code() -> None:
    assert (rights.LEDGER_KEY, rights.OBSERVED_KEY) == (ledger.KEY, ledger.OBSERVED_KEY)
    keys = (rights.LEDGER_KEY, rights.OBSERVED_KEY, rights.OPT_IN_KEY)
    assert [key_mistake(key) for key in keys] == [""] * 3


@pytest.mark.parametrize("action", ["ecs:GetInstanceConsoleOutput", "ecs:GetInstanceScreenshot"])
def test_a_console_is_seen_only_with_evidence_and_only_of_what_opted_in(action: str) -> None:
    opted_in = {"acs:ResourceTag/ecs-reboot": "enabled"}
    for evidence, context, allowed in (("off", opted_in, False), ("full", {}, False), ("full", opted_in, True)):
        assert evaluate(function_policy(Evidence=evidence), action, ARN, context).allowed is allowed


def test_evidence_is_put_into_its_bucket_and_not_read() -> None:
    policy = function_policy(Evidence="console")
    bucket = "acs:oss:cn-hangzhou:1234567890123456:ecs-reboot-1234567890123456-cn-hangzhou/"
    assert evaluate(policy, "oss:PutObject", f"{bucket}cn-hangzhou/i-1/console.txt", {}).allowed
    assert not evaluate(function_policy(), "oss:PutObject", f"{bucket}cn-hangzhou/i-1/console.txt", {}).allowed
    for action in ("oss:GetObject", "oss:DeleteObject", "oss:ListObjects"):
        assert not evaluate(policy, action, f"{bucket}cn-hangzhou/i-1/console.txt", {}).allowed
    assert not evaluate(policy, "oss:PutObject", bucket.replace("ecs-reboot", "orders") + "x", {}).allowed


class Asked(NamedTuple):
    """One request to the policy of the template: what it is, and whether it must be allowed."""

    action: str
    tags: dict[str, str]
    request_tags: dict[str, str]
    allowed: bool


ENTRY = {"ecs-reboot.ledger": "v1"}
OPTED = {"ecs-reboot": "enabled"}


@pytest.mark.parametrize(
    "asked",
    [
        Asked("ecs:DescribeInstances", {}, {}, allowed=True),
        Asked("ecs:ListTagResources", {}, {}, allowed=False),
        Asked("ecs:RebootInstances", OPTED, {}, allowed=True),
        Asked("ecs:RebootInstances", {}, {}, allowed=False),
        Asked("ecs:RebootInstances", {"ecs-reboot": "paused"}, {}, allowed=False),
        Asked("ecs:RebootInstances", {"ecs-reboot": "enabled-not"}, {}, allowed=False),
        Asked("ecs:RebootInstance", OPTED, {}, allowed=False),
        Asked("ecs:StopInstances", OPTED, {}, allowed=False),
        Asked("ecs:TagResources", OPTED, ENTRY, allowed=True),
        Asked("ecs:TagResources", {"ecs-reboot": "paused; by=me"}, ENTRY, allowed=True),
        Asked("ecs:TagResources", OPTED, {"ecs-reboot.observed": "v1"}, allowed=True),
        Asked("ecs:TagResources", {}, {"ecs-reboot.observed": "v1"}, allowed=False),
        Asked("ecs:TagResources", {}, ENTRY, allowed=False),
        Asked("ecs:TagResources", OPTED, {"other": "x"}, allowed=False),
        Asked("ecs:TagResources", {}, OPTED, allowed=False),
        Asked("ecs:TagResources", OPTED, {**ENTRY, **OPTED}, allowed=False),
        Asked("ecs:TagResources", {"ecs-reboot": "paused"}, {**ENTRY, **OPTED}, allowed=False),
        Asked("ecs:UntagResources", OPTED, {"ecs-reboot.ledger": ""}, allowed=True),
        Asked("ecs:UntagResources", {}, {"ecs-reboot.observed": ""}, allowed=True),
        Asked("ecs:UntagResources", OPTED, {}, allowed=False),
        Asked("ecs:UntagResources", OPTED, {"owner": ""}, allowed=False),
        Asked("ecs:UntagResources", OPTED, {"ecs-reboot": ""}, allowed=False),
        Asked("ecs:UntagResources", OPTED, {"ecs-reboot.ledger": "", "ecs-reboot": ""}, allowed=False),
    ],
    ids=str,
)
def test_what_the_function_may_do(asked: Asked) -> None:
    context = {f"acs:ResourceTag/{key}": value for key, value in asked.tags.items()}
    context |= {f"acs:RequestTag/{key}": value for key, value in asked.request_tags.items()}
    assert evaluate(function_policy(Ledger="tags"), asked.action, ARN, context).allowed is asked.allowed


def test_other_accounts_regions_and_logstores_are_out_of_reach() -> None:
    policy = function_policy(Ledger="tags")
    opted_in = {"acs:ResourceTag/ecs-reboot": "enabled"}
    elsewhere = "acs:ecs:cn-beijing:1234567890123456:instance/i-1"
    assert not evaluate(policy, "ecs:RebootInstances", elsewhere, opted_in).allowed
    assert evaluate(
        function_policy(EveryRegion="true", Ledger="tags"), "ecs:RebootInstances", elsewhere, opted_in
    ).allowed
    logs = "acs:log:cn-hangzhou:1234567890123456:project/ecs-reboot-1234567890123456-cn-hangzhou/logstore/"
    assert evaluate(policy, "log:PostLogStoreLogs", f"{logs}ecs-reboot-records", {}).allowed
    assert not evaluate(policy, "log:PostLogStoreLogs", f"{logs}audit", {}).allowed
    assert evaluate(policy, "log:GetLogStoreLogs", f"{logs}ecs-reboot-records", {}).allowed, "for the weekly digest"
    for name in ("audit", "ecs-reboot-function"):
        assert not evaluate(policy, "log:GetLogStoreLogs", f"{logs}{name}", {}).allowed


@pytest.mark.parametrize(
    "document",
    [
        {"Version": "2", "Statement": []},
        {"Version": "1", "Statement": [{"Effect": "Maybe", "Action": ["*"], "Resource": ["*"]}]},
        {"Version": "1", "Statement": [{"Effect": "Allow", "NotAction": ["ecs:X"], "Resource": ["*"]}]},
        {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["acs:ecs:*:${acs:X}:*"]}]},
        {
            "Version": "1",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["*"],
                    "Resource": ["*"],
                    "Condition": {"IpAddress": {"acs:SourceIp": "::"}},
                }
            ],
        },
    ],
    ids=["version", "effect", "NotAction", "variable", "operator"],
)
def test_a_policy_that_is_not_understood_is_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicy):
        evaluate(document, "ecs:RebootInstances", ARN, {})


def test_a_deny_wins_and_a_missing_key_meets_no_positive_condition() -> None:
    allow = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "ecs:Reboot*", "Resource": "*", "Condition": {"StringEquals": {"acs:X": ["y"]}}}
    both = {"Version": "1", "Statement": [allow, deny]}
    verdict = evaluate(both, "ecs:RebootInstances", ARN, {"acs:X": "y"})
    assert (verdict.allowed, verdict.statement) == (False, deny)
    assert evaluate(both, "ecs:RebootInstances", ARN, {}).statement == allow
    assert evaluate(both, "log:PutLogs", ARN, {}).statement is None


def function_policy(**parameters: str) -> dict[str, Any]:
    template = document.load(ROOT / "template.yml")
    decided = plan(template, {"CodeBucket": "bucket", "CodeObject": "object", **parameters}, checks.EXAMPLE_PSEUDO)
    policies = rendered(decided)["Resources"]["Role"]["Properties"]["Policies"]
    found: dict[str, Any] = policies[0]["PolicyDocument"]
    return found


def without(policy: dict[str, Any], action: str, resource: str = "") -> dict[str, Any]:
    """The policy without one right."""
    kept = []
    for statement in policy["Statement"]:
        actions = [
            named
            for named in statement["Action"]
            if named != action or statement["Effect"] == "Deny" or resource not in statement["Resource"][0]
        ]
        if actions:
            kept.append({**statement, "Action": actions})
    assert kept != policy["Statement"]
    return {**policy, "Statement": kept}


class Deployed:
    """A deployed function from whose role rights can be taken."""

    def __init__(self, whole: Running, package: Path) -> None:
        assert deploy(whole, package) == 0
        self._whole = whole
        self._role = whole.account.function_roles["ecs-reboot"]
        ((self._name, self._policy),) = self._role.policies.items()

    def take(self, action: str, resource: str = "") -> None:
        self.put(without(dict(self._policy), action, resource))

    def put(self, policy: dict[str, Any]) -> None:
        self._whole.account.roles.put(self._role._replace(policies={self._name: policy}))

    def told_without(self, action: str) -> dict[str, Any]:
        """What the function says of an alarm when the right is gone, and how each attempt ended."""
        self._whole.cloud.audit.clear()
        self.take(action)
        by_topic(self._whole.account, "")
        idle(self._whole)
        record: dict[str, Any] = json.loads([line for line in logged(self._whole) if line.startswith("{")][-1])
        return {**record, "errors": [call["error"] for call in self.audited("invocation")]}

    def audited(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self._whole.cloud.audit.entries() if entry["kind"] == kind]


def test_without_any_one_right_on_ecs_nothing_is_rebooted_and_it_says_so(whole: Running, package: Path) -> None:
    deployed, audit = Deployed(whole, package), whole.cloud.audit
    told = deployed.told_without("ecs:DescribeInstances")
    assert (told["code"], told["errors"]) == ("not_found", [""])
    assert "missing permission" in told["reason"]
    for action in ("ots:BatchGetRow", "ots:PutRow"):
        told = deployed.told_without(action)
        assert (told["code"], told["errors"]) == ("ledger_unavailable", ["UnhandledInvocationError"] * 2)
        assert "OTSNoPermissionAccess" in told["reason"]
        assert action.partition(":")[2] in told["reason"]
        assert audit.changes() == ()
    for action, code in (
        ("ess:DescribeScalingInstances", "managed"),
        ("ecs:DescribeInstanceHistoryEvents", "platform_repairing"),
    ):
        told = deployed.told_without(action)
        assert (told["code"], told["errors"]) == (code, ["UnhandledInvocationError"] * 2)
        assert "Forbidden.RAM" in told["reason"]
        assert audit.changes() == ()
    waiting = whole.account.messages.waiting("ecs-reboot-failures")
    assert [OPTED_IN[1] in json.loads(message)["requestPayload"] for message in waiting] == [True] * 4
    told = deployed.told_without("ecs:RebootInstances")
    assert told["code"] == "Forbidden.RAM"
    assert audit.changes() == ()


def test_without_any_one_other_right_what_is_lost_is_seen(whole: Running, package: Path) -> None:
    deployed, account = Deployed(whole, package), whole.account
    deployed.take("log:PostLogStoreLogs", "ecs-reboot-records")
    by_topic(account, "")
    idle(whole)
    assert records(whole) == []
    assert any("did not reach the logstore" in line for line in logged(whole))

    deployed.take("log:PostLogStoreLogs", "ecs-reboot-function")
    lines = len(logged(whole))
    account.functions.enqueue("ecs-reboot", f'{{"instance_ids": ["{OPTED_IN[2]}"]}}'.encode())
    idle(whole)
    assert [record["code"] for record in records(whole)] == ["accepted"]
    assert len(logged(whole)) == lines
    assert "log:PostLogStoreLogs" in deployed.audited("unlogged")[0]["reason"]

    deployed.put({"Version": "1", "Statement": []})
    account.functions.enqueue("ecs-reboot", b'{"verify": true}')
    idle(whole)
    assert "mns:SendMessage" in deployed.audited("async_end")[-1]["undelivered"]
    assert account.messages.waiting("ecs-reboot-failures") == ()

    arn = f"acs:ram::{account.cloud.account}:role/ecs-reboot-alarms-cn-hangzhou"
    account.roles.put(account.roles.assumable(arn, "mns.aliyuncs.com")._replace(policies={}))
    with pytest.raises(Denied, match="fc:InvokeFunction"):
        by_topic(account, "")


def test_the_function_can_not_opt_an_instance_in(whole: Running, package: Path) -> None:
    """At the wire: the official client, with the credentials of the function's own role."""
    assert deploy(whole, package, Ledger="tags") == 0
    session = whole.cloud.credentials.assume_role("ecs-reboot-cn-hangzhou")
    client = Client(
        Config(
            access_key_id=session.access_key_id,
            access_key_secret=session.access_key_secret,
            security_token=session.security_token,
            region_id="cn-hangzhou",
            endpoint=whole.host_port,
            protocol="http",
        )
    )

    def write(instance_id: str, **tags: str) -> None:
        client.tag_resources(
            models.TagResourcesRequest(
                region_id="cn-hangzhou",
                resource_type="instance",
                resource_id=[instance_id],
                tag=[models.TagResourcesRequestTag(key=key, value=value) for key, value in tags.items()],
            )
        )

    ledger_only = {rights.LEDGER_KEY: "v1"}
    for instance_id, tags in (
        (NOT_OPTED_IN, {"ecs-reboot": "enabled"}),
        (NOT_OPTED_IN, {"ecs-reboot": "enabled", **ledger_only}),
        (NOT_OPTED_IN, ledger_only),
        (OPTED_IN[0], {"ecs-reboot": "enabled", **ledger_only}),
        (OPTED_IN[0], {"app": "other"}),
    ):
        with pytest.raises(TeaException, match=r"Forbidden\.RAM"):
            write(instance_id, **tags)
    write(OPTED_IN[0], **ledger_only)
    tags_of = {instance_id: whole.cloud.fleet.get(instance_id) for instance_id in (NOT_OPTED_IN, OPTED_IN[0])}
    assert [dict(instance.state.tags) for instance in tags_of.values() if instance] == [
        {},
        {"ecs-reboot": "enabled", "app": "web", **ledger_only},
    ]
