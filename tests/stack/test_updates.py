"""Properties that ROS does not update in place: said in the plan, and changed by taking away and making again."""

import json
from pathlib import Path
from typing import Any

import pytest
from local_deployment import PROJECT, ROOT, by_topic, clients, deploy, idle, records, run

from cloud_languages.template import document, schema, updates
from cloud_languages.template.render import plan, rendered
from localcloud.server.server import Running
from stack import checks
from stack.stacks import StackFailed, Stacks

TEMPLATE = document.load(ROOT / "template.yml")


def made(**parameters: str) -> dict[str, Any]:
    needed = {"CodeBucket": "bucket", "CodeObject": "object"}
    resources: dict[str, Any] = rendered(plan(TEMPLATE, {**needed, **parameters}, checks.EXAMPLE_PSEUDO))["Resources"]
    return resources


def test_every_type_of_the_template_is_in_the_table_and_every_path_in_its_schema() -> None:
    assert {resource["Type"] for resource in TEMPLATE["Resources"].values()} == updates.FIXED.keys()
    for kind, paths in updates.FIXED.items():
        for path in paths:
            known: Any = schema.resource_types(kind.split("::")[1])[kind].properties
            for key in path.split("."):
                assert key in known, (kind, path)
                known = known[key].shape.fields


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"MaxRetries": "2"}, {"AsyncInvoke.MaxAsyncRetryAttempts"}),
        ({"ReservedConcurrency": "20"}, {"Concurrency.ReservedConcurrency"}),
        ({"AlertEmail": "grace@example.com"}, {"LogAlert.Detail.Configuration.NotificationList"}),
        ({"AlarmRuleId": "rule-2"}, {"AlarmRuleTarget.RuleId"}),
        ({"LogDays": "30", "Timeout": "60", "ScheduleCron": "0 0 5 * * *", "StateEvents": "true"}, set()),
        ({"OptInValue": "on"}, set()),
    ],
    ids="-".join,
)
def test_what_can_not_be_updated_is_found(parameters: dict[str, str], found: set[str]) -> None:
    first = {"AlertEmail": "ada@example.com", "AlarmRuleId": "rule-1"}
    changes = list(updates.fixed_changes(made(**first), made(**{**first, **parameters})))
    assert {f"{change.name}.{change.path}" for change in changes} == found
    assert all(change.can_be_remade for change in changes)


def test_logs_and_ledger_are_never_taken_away_to_be_made_again() -> None:
    first = {"Ledger": "tablestore", "LedgerInstance": "er-1"}
    changes = list(
        updates.fixed_changes(made(**first), made(**first | {"LedgerInstance": "er-2", "FunctionName": "two"}))
    )
    kept = {change.name for change in changes if not change.can_be_remade}
    assert {"Records", "FunctionLogs", "LedgerStore", "FailureQueue", "Role"} <= kept


def test_ros_refuses_such_an_update(whole: Running, package: Path) -> None:
    assert deploy(whole, package) == 0
    stacks = Stacks(clients(whole), lambda _line: None, poll_seconds=0)
    found = stacks.find("ecs-reboot")
    assert found is not None
    mark = stacks.newest_event(found.stack_id)
    assert stacks.update(found, json.loads(stacks.template(found)), {"MaxRetries": "3"})
    with pytest.raises(StackFailed, match="AsyncInvoke: ResourceUpdateNotAllowed: MaxAsyncRetryAttempts"):
        stacks.follow(found.stack_id, mark)


def test_deploy_plans_it_and_finds_the_way_round(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, AlertEmail="ada@example.com") == 0
    by_topic(whole.account, "")
    idle(whole)
    before = records(whole)
    assert before
    capsys.readouterr()
    change = ("--package", str(package), "--params", "MaxRetries=3 ReservedConcurrency=5 AlertEmail=grace@example.com")
    assert run(whole, "deploy", "--plan", *change) == 0
    told = capsys.readouterr().err
    for line in (
        "Remake     AsyncInvoke (ALIYUN::FC3::AsyncInvokeConfig): MaxAsyncRetryAttempts can't be updated",
        "Remake     Concurrency (ALIYUN::FC3::ConcurrencyConfig): ReservedConcurrency can't be updated",
        "Remake     LogAlert (ALIYUN::SLS::Alert): Detail.Configuration.NotificationList can't be updated",
    ):
        assert line in told
    settings = whole.account.functions.find("ecs-reboot")
    assert (settings.async_config.max_async_retry_attempts if settings.async_config else None, settings.reserved) == (
        1,
        10,
    )
    assert run(whole, "deploy", *change) == 0
    settings = whole.account.functions.find("ecs-reboot")
    assert (settings.async_config.max_async_retry_attempts if settings.async_config else None, settings.reserved) == (
        3,
        5,
    )
    alert = whole.account.kept["Alert", "alert-ecs-reboot"]["Detail"]["Configuration"]["NotificationList"]
    assert alert[0]["EmailList"] == ["grace@example.com"]
    assert records(whole) == before, "logs are not touched"
    assert PROJECT in whole.account.stores.projects()
    capsys.readouterr()
    assert run(whole, "deploy", *change) == 0
    assert "Remake" not in capsys.readouterr().err


def test_what_holds_something_is_refused_before_anything_is_done(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package) == 0
    events = len(next(iter(whole.services.ros.stacks.values())).events)
    assert run(whole, "deploy", "--package", str(package), "--params", "FunctionName=another") == 1
    told = capsys.readouterr().err
    assert "Resources.Records.Properties.LogstoreName" in told
    assert "deploy a second stack with its own STACK and FunctionName" in told
    assert len(next(iter(whole.services.ros.stacks.values())).events) == events
