import inspect
import re

import pytest
from alibabacloud_ecs20140526 import models
from ecs_requests import DB, HZ, WEB, code, described, reboot
from hypothesis import given
from hypothesis import strategies as st
from signed_requests import Api

from localcloud.account import faults
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.ecs.actions import ACTIONS
from localcloud.ecs.parameters import COMMON


def test_the_fault_table_knows_every_action() -> None:
    assert set(faults.ACTIONS["ecs"]) == set(ACTIONS)


@pytest.mark.parametrize(
    ("action", "expected"), [("DeleteInstance", (404, "InvalidAction.NotFound")), ("", (404, "InvalidAction.NotFound"))]
)
def test_other_actions_are_not_found(api: Api, action: str, expected: tuple[int, str]) -> None:
    assert code(api.call(action)) == expected


def test_authorize_is_asked_for_each_instance(api: Api) -> None:
    api.cloud.authorize = lambda _who, action, what: action != "ecs:RebootInstances" or what.tags.get("app") == "web"
    _, body = reboot(api, WEB, DB, BatchOptimization="SuccessFirst")
    assert [row["Code"] for row in body["InstanceResponses"]["InstanceResponse"]] == ["200", "Forbidden.RAM"]
    api.cloud.authorize = lambda *_: False
    assert described(api) == [], "a role without permission sees an empty answer"
    assert code(api.call("DescribeInstances", RegionId=HZ, DryRun="true")) == (403, "Forbidden.RAM")


def test_a_reset_brings_back_the_declared_fleet(api: Api) -> None:
    reboot(api, WEB)
    api.call("UntagResources", {"RegionId": HZ, "ResourceType": "instance", "ResourceId.1": WEB, "All": "true"})
    api.cloud.reset()
    assert (api.cloud.fleet[WEB].status, dict(api.cloud.fleet[WEB].state.tags)) == ("Running", {"app": "web"})
    assert api.cloud.audit.entries() == ()
    assert reboot(api, WEB)[0] == 200


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        cloud = Cloud.from_fleet(Fleet(), seed=seed)
        return [cloud.request_id() for _ in range(3)]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


names = st.sampled_from(
    [
        *sorted({spec.name for row in ACTIONS.values() for spec in row.parameters}),
        "InstanceId.1",
        "InstanceId.2",
        "Tag.1.Key",
        "Tag.1.Value",
        "Tag.2",
        "ResourceId.1",
        "TagKey.1",
        "Filter.1.Key",
    ]
)
values = st.sampled_from([WEB, DB, HZ, "true", "1", "[]", "instance", "SuccessFirst", "Running", ""]) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@given(
    action=st.sampled_from(sorted(ACTIONS)),
    parameters=st.dictionaries(names | st.text("aI.1\u00e9", min_size=1), values),
)
def test_whatever_is_signed_is_answered_by_success_or_a_client_error(
    api: Api, action: str, parameters: dict[str, str]
) -> None:
    status, body = api.call(action, parameters)
    assert status == 200 or 400 <= status < 500
    assert body["RequestId"]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_of_the_sdks_model_is_declared(action: str) -> None:
    """What is not declared would be ignored, and a filter that is ignored answers with too much."""
    model = getattr(models, f"{action}Request")
    names = set(re.findall(r"result\['(\w+)'\]", inspect.getsource(model.to_map)))
    assert names - COMMON <= {parameter.name for parameter in ACTIONS[action].parameters}
