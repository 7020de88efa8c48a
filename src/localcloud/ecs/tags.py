"""Tags of instances: TagResources, UntagResources, ListTagResources."""

import base64
import binascii
from typing import TYPE_CHECKING

from localcloud.account.instances import EcsInstance
from localcloud.account.tag_rules import MAX_TAGS, key_mistake, value_mistake
from localcloud.ecs.call import EcsCall, Outcome
from localcloud.ecs.parameters import Parameter
from localcloud.openapi.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_RESOURCES = 50
PAGE = 50
_REGION = Parameter("RegionId", "region", required=True, missing_code="MissingParameter.RegionId")
_TYPE = Parameter("ResourceType", required=True, missing_code="MissingParameter.ResourceType")
_IDS = Parameter(
    "ResourceId",
    "repeat",
    required=True,
    limit=MAX_RESOURCES,
    missing_code="MissingParameter.ResourceIds",
    exceeded_code="NumberExceed.ResourceIds",
)
_TAGS = Parameter(
    "Tag",
    "tags",
    required=True,
    limit=MAX_TAGS,
    missing_code="MissingParameter.Tags",
    exceeded_code="NumberExceed.Tags",
)
TAG = (_REGION, _TYPE, _IDS, _TAGS)
UNTAG = (
    _REGION,
    _TYPE,
    _IDS,
    Parameter("TagKey", "repeat", limit=MAX_TAGS, exceeded_code="NumberExceed.Tags"),
    Parameter("All", "boolean"),
)
LIST = (
    _REGION,
    _TYPE,
    _IDS._replace(required=False),
    _TAGS._replace(required=False),
    Parameter("NextToken"),
    Parameter("TagFilter", "refused"),
)


def tag_resources(call: EcsCall) -> Outcome:
    """Answer TagResources: all the tags on all the resources, or nothing."""
    tags = {key: value or "" for key, value in call.arguments.tags("Tag")}
    for key, value in tags.items():
        if mistake := key_mistake(key):
            raise ApiError("InvalidTagKey.Malformed", mistake)
        if mistake := value_mistake(value):
            raise ApiError("InvalidTagValue.Malformed", mistake)
    instances = _instances(call, tags)
    for instance in instances:
        if (number := len({**instance.state.tags, **tags})) > MAX_TAGS:
            detail = f"{instance.spec.instance_id} would have {number} tags, {MAX_TAGS} are allowed"
            raise ApiError("OperationDenied.QuotaExceed", detail)
    changed = [call.cloud.fleet.tag(instance, tags) for instance in instances]
    return Outcome({}, effect=any(changed))


def untag_resources(call: EcsCall) -> Outcome:
    """Answer UntagResources: the given keys, or with ``All`` and no keys every tag."""
    keys = call.arguments.texts("TagKey")
    if not keys and not call.arguments.flag("All"):
        raise ApiError("MissingParameter.TagKey", "give TagKey.N, or All=true")
    instances = _instances(call, dict.fromkeys(keys, ""))
    changed = [call.cloud.fleet.untag(instance, keys or None) for instance in instances]
    return Outcome({}, effect=any(changed))


def list_tag_resources(call: EcsCall) -> Outcome:
    """Answer ListTagResources: one row for each tag of the resources that have all the given tags, 50 rows a page."""
    arguments = call.arguments
    _check_type(call)
    region_id, wanted_ids, wanted_tags = (
        arguments.text("RegionId"),
        arguments.texts("ResourceId"),
        arguments.tags("Tag"),
    )
    if not wanted_ids and not wanted_tags:
        raise ApiError("MissingParameter.ResourceIds", "give ResourceId.N or Tag.N")
    if not call.may_list(region_id):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")
    candidates: Iterable[EcsInstance | None] = (
        (call.find(instance_id, region_id) for instance_id in wanted_ids)
        if wanted_ids
        else call.cloud.fleet.in_region(region_id)
    )
    rows = [
        {"ResourceId": instance.spec.instance_id, "ResourceType": "instance", "TagKey": key, "TagValue": value}
        for instance in candidates
        if instance is not None and instance.spec.visible
        for tags in [call.state(instance).tags]
        if all(key in tags and (value is None or tags[key] == value) for key, value in wanted_tags)
        for key, value in tags.items()
    ]
    start = _offset(arguments.text("NextToken"))
    token = _token(start + PAGE) if len(rows) > start + PAGE else ""
    return Outcome({"NextToken": token, "TagResources": {"TagResource": rows[start : start + PAGE]}})


def _check_type(call: EcsCall) -> None:
    if (given := call.arguments.text("ResourceType")) != "instance":
        raise ApiError("InvalidResourceType.NotFound", f"{given[:200]!r}; the local cloud has 'instance'")


def _instances(call: EcsCall, request_tags: dict[str, str]) -> list[EcsInstance]:
    _check_type(call)
    found = []
    for instance_id in call.arguments.texts("ResourceId"):
        instance = call.find(instance_id, call.arguments.text("RegionId"))
        if instance is None:
            raise ApiError("InvalidResourceId.NotFound", instance_id)
        if not call.may(instance, request_tags):
            raise ApiError("Forbidden.RAM", f"ecs:{call.action} on {instance_id}")
        found.append(instance)
    return found


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode()


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        mark, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, ValueError):
        mark, offset = "", ""
    if mark != "row" or not (offset.isascii() and offset.isdigit()):
        raise ApiError("InvalidParameter", f"NextToken is {token[:200]!r}: send the one of the page before")
    return int(offset)
