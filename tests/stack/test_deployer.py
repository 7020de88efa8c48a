"""Deployments under exactly the policy of docs/operate/permissions.md for a deployer, and without parts of it."""

import copy
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.models import Config as CredentialConfig
from local_deployment import PARAMETERS, PROJECT, by_topic, idle, records

from cli.program import main
from localcloud.ram.system_roles import trust
from localcloud.server.server import Running
from stack import deployer
from stack.clients import Clients

ACCOUNT, REGION = "1234567890123456", "cn-hangzhou"
#: Rights that the services themselves check when the tools call them, not ROS for the deployer.
BY_ANOTHER_API = {
    "ecs:DescribeInstances",
    "log:DeleteLogStore",
    "log:DeleteProject",
    "log:GetLogStoreLogs",
    "log:ListLogStores",
    "oss:GetBucketAcl",
    "oss:GetBucketInfo",
    "oss:GetObject",
    "oss:PutBucket",
    "oss:PutObject",
}
#: Rights that ROS or a service may need and the local cloud does not model: reading before writing, versions of
#: policies, and what only another version of the template changes.
NOT_MODELLED = {
    "eventbridge:CreateEventBus",
    "eventbridge:DeleteEventBus",
    "eventbridge:DisableRule",
    "eventbridge:ListRules",
    "eventbridge:UpdateRule",
    "fc:ListTriggers",
    "log:DeleteIndex",
    "log:UpdateDashboard",
    "log:UpdateIndex",
    "log:UpdateJob",
    "log:UpdateProject",
    "oss:GetBucketLifecycle",
    "oss:PutBucketAcl",
    "ots:DeleteInstance",
    "ots:DeleteTable",
    "ots:GetInstance",
    "ots:UpdateInstance",
    "ots:UpdateTable",
    "ram:GetPolicy",
    "ram:GetPolicyVersion",
}


def as_deployer(whole: Running, policy: dict[str, Any]) -> Clients:
    """Clients of somebody who may do what the policy says and nothing else."""
    roles = whole.account.roles
    if (role := roles.get("deployer")) is None:
        role = roles.create("deployer", trust("ecs.aliyuncs.com"), {})
    roles.put(role._replace(policies={"deployer": policy}))
    session = whole.cloud.credentials.assume_role("deployer")
    own = CredentialConfig(
        type="sts",
        access_key_id=session.access_key_id,
        access_key_secret=session.access_key_secret,
        security_token=session.security_token,
    )
    return Clients(REGION, whole.url, CredentialChain(own))


def documented() -> dict[str, Any]:
    return deployer.policy(REGION, ACCOUNT, "ecs-reboot", PROJECT)


def without(policy: dict[str, Any], *actions: str) -> dict[str, Any]:
    less = copy.deepcopy(policy)
    for statement in less["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action not in actions]
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    assert less != policy
    return less


def run(whole: Running, clients: Clients, verb: str, *arguments: str) -> int:
    return main([verb, "--endpoint", whole.url, *arguments], clients)


def deploy(whole: Running, clients: Clients, package: Path, **parameters: str) -> int:
    given = " ".join(f"{name}='{value}'" for name, value in {**PARAMETERS, **parameters}.items())
    return run(whole, clients, "deploy", "--package", str(package), "--params", given)


def test_the_policy_fits_into_one_document() -> None:
    longest = deployer.policy("ap-southeast-1", ACCOUNT, "f" * 24, "p" * 63)
    assert len(deployer.written(longest)) <= deployer.POLICY_CHARACTERS


def test_the_documented_rights_are_enough_and_no_more(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = whole.account
    rule = {"RuleId": "cpu", "RuleName": "cpu", "Namespace": "acs_ecs_dashboard", "EnableState": True, "Webhook": ""}
    account.alarm_rules["cpu"] = {**rule, "Targets": {}}
    clients = as_deployer(whole, documented())
    everything = {
        "AlarmRuleId": "cpu",
        "ExampleAlarmInstance": "i-bp1a2b3c4d5e6f7g8h9a",
        "ContactGroup": "ops",
        "AlertEmail": "ada@example.com",
        "AgentEvents": "true",
        "Evidence": "full",
        "Ledger": "tags",
    }
    assert deploy(whole, clients, package, **everything) == 0, capsys.readouterr().err
    by_topic(account, "")
    idle(whole)
    assert records(whole)[-1]["code"] == "accepted"
    changed = {**everything, "LogDays": "30", "GraceSeconds": "60", "EveryRegion": "true"}
    changed["ExampleAlarmThreshold"] = "90"
    changed |= {"ScheduleCron": "0 0 5 * * *", "Ledger": "tablestore", "LedgerInstance": "er-of-tests"}
    assert run(whole, clients, "deploy", "--plan", "--package", str(package)) == 0, capsys.readouterr().err
    assert deploy(whole, clients, package, **changed) == 0, capsys.readouterr().err
    for verb in ("status", "logs", "doctor"):
        assert run(whole, clients, verb) == 0, capsys.readouterr()
    assert run(whole, clients, "remove", "--logs") == 0, capsys.readouterr().err
    assert account.functions.names() == ()
    granted = {action for statement in documented()["Statement"] for action in statement["Action"]}
    assert granted - account.asked - BY_ANOTHER_API <= NOT_MODELLED
    assert account.asked <= granted


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("log:CreateDashboard", "Dashboard: NoPermission: deployer may not do log:CreateDashboard on *"),
        ("ram:PassRole", "Function: NoPermission: deployer may not do ram:PassRole"),
        ("fc:CreateTrigger", "/triggers/"),
        ("eventbridge:UpdateTargets", "eventbridge:UpdateTargets"),
        ("ros:CreateStack", "deployer may not do ros:CreateStack on *"),
    ],
)
def test_without_a_right_the_deployment_says_which(
    whole: Running, package: Path, action: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, as_deployer(whole, without(documented(), action)), package) == 1
    assert told in capsys.readouterr().err
    assert whole.account.functions.names() == ()


def test_a_dashboard_can_not_be_granted_on_a_project(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = without(documented(), "log:CreateDashboard")
    narrow = f"acs:log:{REGION}:{ACCOUNT}:project/{PROJECT}/dashboard/*"
    policy["Statement"].append({"Effect": "Allow", "Action": ["log:CreateDashboard"], "Resource": [narrow]})
    assert deploy(whole, as_deployer(whole, policy), package) == 1
    assert "log:CreateDashboard on *" in capsys.readouterr().err
