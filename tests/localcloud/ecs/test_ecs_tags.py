"""Tags on instances: set, replaced, listed, taken away, and their limits."""

from collections.abc import Iterable
from typing import Any

import pytest
from ecs_requests import DB, HIDDEN, HZ, NORTH, WEB, code, indexed
from signed_requests import Api

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec


class TestTags:
    def tag(self, api: Api, instance_ids: Iterable[str], tags: Any, **parameters: str) -> tuple[int, Any]:
        pairs = {
            name: value
            for n, (key, tag_value) in enumerate(tags, start=1)
            for name, value in ((f"Tag.{n}.Key", key), (f"Tag.{n}.Value", tag_value))
        }
        wanted = {"RegionId": HZ, "ResourceType": "instance", **parameters}
        return api.call("TagResources", {**wanted, **indexed("ResourceId", instance_ids), **pairs})

    def tags(self, api: Api, instance_id: str) -> dict[str, str]:
        return dict(api.cloud.fleet[instance_id].state.tags)

    def test_tags_are_set_and_replaced(self, api: Api) -> None:
        assert self.tag(api, [WEB, DB], [("app", "new"), ("ecs-reboot/last", "v1")])[0] == 200
        assert self.tags(api, WEB) == self.tags(api, DB) == {"app": "new", "ecs-reboot/last": "v1"}

    def test_setting_what_is_there_has_no_effect(self, api: Api) -> None:
        self.tag(api, [WEB], [("app", "web")])
        assert api.cloud.audit.calls()[-1]["effect"] is False

    @pytest.mark.parametrize(
        ("ids", "tags", "expected"),
        [
            ([f"i-{n}" for n in range(51)], [("k", "v")], (400, "NumberExceed.ResourceIds")),
            ([WEB], [(f"k{n}", "v") for n in range(21)], (400, "NumberExceed.Tags")),
            ([WEB], [(f"k{n}", "v") for n in range(20)], (400, "OperationDenied.QuotaExceed")),
            ([WEB], [("k" * 129, "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("acs:k", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("aliyunk", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("http://k", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("k", "v" * 129)], (400, "InvalidTagValue.Malformed")),
            ([WEB], [("k", "https://v")], (400, "InvalidTagValue.Malformed")),
            ([WEB], [("k", "1"), ("k", "2")], (400, "Duplicate.TagKey")),
            ([WEB], [("", "2")], (400, "MissingParameter.TagKey")),
            ([WEB], [], (404, "MissingParameter.Tags")),
            ([], [("k", "v")], (400, "MissingParameter.ResourceIds")),
            ([WEB, HIDDEN], [("k", "v")], (404, "InvalidResourceId.NotFound")),
            ([WEB, NORTH], [("k", "v")], (404, "InvalidResourceId.NotFound")),
        ],
    )
    def test_limits_have_their_codes_and_nothing_is_tagged(
        self, api: Api, ids: Any, tags: Any, expected: tuple[int, str]
    ) -> None:
        assert code(self.tag(api, ids, tags)) == expected
        assert self.tags(api, WEB) == {"app": "web"}

    def test_the_longest_tag_is_taken(self, api: Api) -> None:
        assert self.tag(api, [WEB], [("k" * 128, "v" * 128)])[0] == 200

    def test_only_instances_are_resources(self, api: Api) -> None:
        assert code(self.tag(api, [WEB], [("k", "v")], ResourceType="disk")) == (404, "InvalidResourceType.NotFound")

    def test_untag(self, api: Api) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance", "ResourceId.1": WEB}
        self.tag(api, [WEB], [("a", "1"), ("b", "2")])
        assert code(api.call("UntagResources", wanted)) == (400, "MissingParameter.TagKey")
        assert api.call("UntagResources", {**wanted, "TagKey.1": "a", "TagKey.2": "none"})[0] == 200
        assert self.tags(api, WEB) == {"app": "web", "b": "2"}
        assert api.call("UntagResources", {**wanted, "All": "true"})[0] == 200
        assert self.tags(api, WEB) == {}

    @pytest.mark.parametrize(
        ("ids", "keys", "expected"),
        [
            ([WEB], [f"k{number}" for number in range(21)], (400, "NumberExceed.Tags")),
            ([f"i-{number:08d}" for number in range(51)], ["app"], (400, "NumberExceed.ResourceIds")),
            ([WEB, HIDDEN], ["app"], (404, "InvalidResourceId.NotFound")),
            ([], ["app"], (400, "MissingParameter.ResourceIds")),
        ],
    )
    def test_what_can_not_be_untagged_leaves_all_as_it_was(
        self, api: Api, ids: list[str], keys: list[str], expected: tuple[int, str]
    ) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance"}
        wanted |= {f"ResourceId.{number}": instance_id for number, instance_id in enumerate(ids, 1)}
        wanted |= {f"TagKey.{number}": key for number, key in enumerate(keys, 1)}
        assert code(api.call("UntagResources", wanted)) == expected
        assert self.tags(api, WEB) == {"app": "web"}

    def test_listing_by_id_and_by_tag_hides_what_is_hidden(self, api: Api) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance"}

        def rows(parameters: dict[str, str]) -> list[tuple[str, str, str]]:
            _, body = api.call("ListTagResources", {**wanted, **parameters})
            return [(row["ResourceId"], row["TagKey"], row["TagValue"]) for row in body["TagResources"]["TagResource"]]

        assert rows({"ResourceId.1": WEB, "ResourceId.2": HIDDEN}) == [(WEB, "app", "web")]
        assert rows({"Tag.1.Key": "app"}) == [(WEB, "app", "web"), (DB, "app", "db")]
        assert rows({"Tag.1.Key": "app", "Tag.1.Value": "db"}) == [(DB, "app", "db")]
        assert code(api.call("ListTagResources", wanted)) == (400, "MissingParameter.ResourceIds")

    def test_listing_goes_through_pages_of_50(self) -> None:
        specs = tuple(InstanceSpec(instance_id=f"i-{n}", tags={"a": "1", "b": "2"}) for n in range(60))
        api, token, rows = Api(Cloud.from_fleet(Fleet(instances=specs))), "", []
        wanted = {"RegionId": HZ, "ResourceType": "instance", "Tag.1.Key": "a"}
        for _ in range(3):
            _, body = api.call("ListTagResources", {**wanted, **({"NextToken": token} if token else {})})
            rows += body["TagResources"]["TagResource"]
            token = body["NextToken"]
        assert (len(rows), token) == (120, "")
