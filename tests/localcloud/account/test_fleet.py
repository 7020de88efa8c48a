import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from localcloud.account import fleet, fleets
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.faults import Fault

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
WEB = "i-bp1a2b3c4d5e6f7g8h9i"


def parse(document: Any) -> fleet.Fleet:
    return fleet.parse(document, name="fleet.yaml", now=NOW)


def mistakes(document: Any) -> tuple[str, ...]:
    with pytest.raises(DeclarationError) as caught:
        parse(document)
    return tuple(caught.value.mistakes)


def test_the_fleet_of_the_demo_is_served_by_its_name_and_holds_the_default_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole, small = fleets.chosen("demo"), fleets.chosen("")
    assert (len(whole.instances), len(small.instances)) == (10, 6)
    assert all(instance in whole.instances for instance in small.instances)
    assert whole.scaling_groups
    Path("demo").write_text(f'{{"instances": [{{"instance_id": "{WEB}"}}]}}')
    assert len(fleets.chosen("./demo").instances) == 1, "a file of that name"


def test_an_instance_needs_no_more_than_its_id() -> None:
    (web,) = parse({"instances": [{"instance_id": WEB}]}).instances
    assert (web.status, web.region_id, web.reboot_seconds, web.tags, web.visible) == (
        "Running",
        "cn-hangzhou",
        30.0,
        {},
        True,
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("5m ago", NOW - timedelta(minutes=5)),
        ("2h ago", NOW - timedelta(hours=2)),
        ("in 3d", NOW + timedelta(days=3)),
        ("2026-11-23T11:58:00Z", NOW - timedelta(minutes=2)),
        ("2026-11-23T19:58:00+08:00", NOW - timedelta(minutes=2)),
    ],
)
def test_times_may_be_relative_or_absolute(text: str, moment: datetime) -> None:
    (web,) = parse({"instances": [{"instance_id": WEB, "start_time": text}]}).instances
    assert web.start_time == moment


def test_every_mistake_is_told_at_once_with_its_place_and_a_remedy() -> None:
    told = mistakes(
        {
            "instances": [
                {"instance_id": WEB, "status": "Runing", "colour": "red"},
                {"instance_id": "web-01", "region_id": "cn-hangzhuo"},
                {"instance_id": "i-b", "start_time": "yesterday", "tags": {"app": 1}, "instance_nam": "x"},
                {"region_id": "cn-beijing"},
            ],
            "fautls": [],
        }
    )
    for expected in (
        f"fleet.yaml: instances[0] ({WEB}): status: 'Runing' is not one of",
        "did you mean 'Running'?",
        "unknown field 'colour'",
        "instances[1] (web-01): instance_id: 'web-01' is not an instance ID",
        "did you mean 'cn-hangzhou'?",
        "start_time: 'yesterday' is not a time",
        "instances[2] (i-b): tags.app: 1 is not text",
        "unknown field 'instance_nam'; did you mean 'instance_name'?",
        "instances[3]: field 'instance_id' is missing",
        "unknown field 'fautls'; did you mean 'faults'?",
    ):
        assert any(expected in sentence for sentence in told), (expected, told)


def test_an_id_declared_twice_is_a_mistake() -> None:
    assert mistakes({"instances": [{"instance_id": WEB}, {"instance_id": WEB}]}) == (
        f"fleet.yaml: instance {WEB} is declared 2 times: an ID is unique",
    )


@pytest.mark.parametrize(
    ("tags", "part"),
    [
        ({f"k{n}": "" for n in range(21)}, "21 tags, 20 are allowed"),
        ({"k" * 129: ""}, "129 characters"),
        ({"k": "v" * 129}, "129 characters"),
        ({"aliyun-x": ""}, "reserved"),
        ({"http://x": ""}, "http://"),
    ],
)
def test_tags_keep_to_the_limits_of_ecs(tags: Any, part: str) -> None:
    (sentence,) = mistakes({"instances": [{"instance_id": WEB, "tags": tags}]})
    assert part in sentence


def test_the_platforms_own_tags_can_be_declared_and_keep_to_the_limits_too() -> None:
    tags = {"acs:autoscaling:scalingGroupId": "asg-1"}
    declared = {"instances": [{"instance_id": WEB, "tags": tags}]}
    assert fleet.parse(declared, name="fleet", now=NOW).instances[0].tags == tags
    (sentence,) = mistakes({"instances": [{"instance_id": WEB, "tags": {"acs:" + "k" * 129: ""}}]})
    assert "129 characters" in sentence


def test_a_scaling_groups_members_are_in_the_fleet_and_in_one_group_only() -> None:
    groups = [{"scaling_group_id": f"asg-{number}", "instance_ids": [WEB, "i-bp1nobody"]} for number in (1, 2)]
    told = mistakes({"instances": [{"instance_id": WEB}], "scaling_groups": groups})
    assert any("the fleet has no 'i-bp1nobody'" in sentence for sentence in told)
    assert any(f"{WEB} is in 2 groups" in sentence for sentence in told)


def test_mistakes_in_faults_have_their_place() -> None:
    told = mistakes(
        {"faults": [{"kind": "delay"}, {"kind": "eror"}, {"kind": "error", "code": "X", "action": "Reboot"}]}
    )
    assert "fleet.yaml: faults[0]: a delay fault needs 'seconds'" in told
    assert any("faults[1]: kind: 'eror' is not one of" in sentence and "'error'" in sentence for sentence in told)
    assert any("faults[2]: ecs has no action 'Reboot'" in sentence for sentence in told)


def test_a_fault_of_an_instance_that_is_not_in_the_fleet_is_a_mistake() -> None:
    (sentence,) = mistakes(
        {
            "instances": [{"instance_id": WEB}],
            "faults": [{"kind": "error", "code": "InternalError", "instance_id": "i-x"}],
        }
    )
    assert "faults[0]" in sentence
    assert "i-x" in sentence


@pytest.mark.parametrize("name", ["fleet.yaml", "fleet.json"])
def test_yaml_and_json_files_give_the_same_fleet(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    document = {"account": "42", "instances": [{"instance_id": WEB, "tags": {"app": "web"}}], "seed": 7}
    path.write_text(json.dumps(document), encoding="utf-8")
    loaded = fleet.load(path)
    assert (loaded.account, loaded.seed, loaded.instances[0].tags) == ("42", 7, {"app": "web"})


def test_a_real_yaml_file_with_its_own_ideas_of_types(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(
        f"account: 1234567890\ninstances:\n  - instance_id: {WEB}\n    start_time: 2026-11-01T10:00:00Z\n"
        "    operation_locks: [security]\n",
        encoding="utf-8",
    )
    (web,) = fleet.load(path).instances
    assert web.start_time == datetime(2026, 11, 1, 10, tzinfo=timezone.utc)
    assert web.operation_locks == ("security",)


@pytest.mark.parametrize(("name", "text"), [("f.json", "{"), ("f.yaml", "a: [1"), ("f.yaml", "- 1"), ("f.yaml", "")])
def test_a_file_that_is_no_fleet_is_told_as_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        fleet.load(path)
    assert str(path) in str(caught.value)
    assert len(caught.value.mistakes) == 1


def test_the_fleet_file_in_the_docs_is_one(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "develop" / "local-cloud.md").read_text(encoding="utf-8")
    path = tmp_path / "fleet.yaml"
    path.write_text(docs.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    loaded = fleet.load(path)
    assert loaded.instances[0].tags == {"ecs-reboot": "enabled", "app": "web"}
    assert loaded.faults[0].kind == "drop_after"
    declared = {*fleet.InstanceSpec.model_fields, *fleet.Fleet.model_fields, *Fault.model_fields}
    assert {name for name in declared if f"`{name}`" not in docs and f"{name}:" not in docs} == set()


def test_the_default_fleet_has_one_of_each_kind() -> None:
    instances = {instance.instance_name: instance for instance in fleet.default().instances}
    assert instances["db-01"].operation_locks == ("security",)
    assert instances["batch-01"].status == "Stopped"
    assert "ecs-reboot" not in instances["legacy-01"].tags
    assert {instance.region_id for instance in instances.values()} == {"cn-hangzhou", "cn-beijing"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(20)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "instances": anything
            | st.lists(st.dictionaries(st.sampled_from(sorted(fleet.InstanceSpec.model_fields)), anything)),
            "faults": anything,
            "account": anything,
            "log_projects": anything,
            "seed": anything,
        },
    )
)
def test_any_document_is_a_fleet_or_gets_sentences(document: Any) -> None:
    try:
        parse(document)
    except DeclarationError as error:
        told = error.mistakes
    else:
        return
    assert told
    assert all(sentence.startswith("fleet.yaml") for sentence in told)
