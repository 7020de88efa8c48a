"""The ledger in the table, as the function uses it: the real client, the local Tablestore, the cloud's own audit."""

from staging import Staged, instances

ONE = "i-bp1test0000000000000"
TABLE = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger"}
REQUEST = {"instance_ids": [ONE], "region_id": "cn-hangzhou", "reason": "a test asks"}
#: Facts that cost calls are counted in the tests of the facts.
NO_FACTS = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off"}


def test_an_alarm_is_rebooted_in_five_calls_without_a_tag_and_remembered(stage: Staged) -> None:
    here = stage(instances(2, reboot_seconds=1), GRACE_SECONDS="0", **TABLE, **NO_FACTS)
    answer = here.send(REQUEST)
    assert [result["code"] for result in answer["results"]] == ["accepted"]
    assert here.calls()[:2] == ["DescribeInstances", "RebootInstances"]
    assert "TagResources" not in here.calls()
    # The third write says that ECS accepted, after the reboot.
    table = [entry["action"] for entry in here.cloud.audit.calls(service="ots")]
    assert table == ["BatchGetRow", "PutRow", "PutRow", "PutRow"]
    assert here.rebooted() == [ONE]
    again = here.send(REQUEST)
    assert [result["code"] for result in again["results"]] in (["cooldown"], ["not_running"])
    assert here.rebooted() == [ONE]


def test_a_declared_history_is_that_of_the_table_too(stage: Staged) -> None:
    hanging = {"status": "Stopping", "hangs": True, "attempts": [{"ago": "25m", "state": "accepted"}]}
    back = {"attempts": [{"ago": "20m", "state": "back"}]}
    first, second, third = instances(3, reboot_seconds=0.5)
    fleet = [{**first, **hanging}, {**second, **back}, third]
    policy = {"FORCE_REBOOT": "escalate", "VERIFY_SECONDS": "20", "MAX_REBOOTS": "2", "GRACE_SECONDS": "0"}
    here = stage(fleet, **TABLE, **NO_FACTS, **policy)
    # Both of them are among those that were rebooted within the window.
    answer = here.send({**REQUEST, "instance_ids": [third["instance_id"]]})
    assert [result["code"] for result in answer["results"]] == ["blast_radius"]
    answer = here.send({"verify": True, "region_id": "cn-hangzhou"})
    assert [result["code"] for result in answer["results"]] == ["hung", "recovered"]
    assert here.cloud.fleet[ONE].status == "Running"
