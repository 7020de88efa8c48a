"""Reading instances: DescribeInstances, DescribeInstanceStatus, DescribeRegions."""

import base64
import binascii

from localcloud.account.instances import EcsInstance
from localcloud.account.regions import REGIONS
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.filters import tests
from localcloud.ecs.parameters import Parameter
from localcloud.ecs.presentation import described, zone
from localcloud.openapi.errors import ApiError

MAX_PAGE = 100
MIN_TOKEN_PAGE = 10  # documented: a smaller MaxResults counts as 10
#: What a filter by tag or resource group shows, at most: documented; that the rest is cut silently is our choice.
MOST_FILTERED = 1_000
_TOKEN_MARK = b"after:"

REGION = Parameter("RegionId", "region", required=True)
_REFUSED = (
    "DeviceAvailable",
    "EipAddresses",
    "Filter",
    "HpcClusterId",
    "HttpEndpoint",
    "HttpPutResponseHopLimit",
    "HttpTokens",
    "InstanceTypeFamily",
    "InternetChargeType",
    "IoOptimized",
    "Ipv6Address",
    "KeyPairName",
    "RdmaIpAddresses",
)
INSTANCES = (
    REGION,
    Parameter("InstanceIds", "json_array", invalid_code="InvalidInstanceIds.Malformed",
              exceeded_code="InvalidParameter.TooManyInstanceIds"),
    Parameter("PageNumber", "integer", default=1),
    Parameter("PageSize", "integer", default=10, maximum=MAX_PAGE),
    Parameter("NextToken"),
    Parameter("MaxResults", "integer", maximum=MAX_PAGE),
    Parameter("Tag", "tags", limit=20, exceeded_code="InvalidTagCount"),
    Parameter("ResourceGroupId"),
    Parameter("InstanceName"),
    Parameter("Status", allowed=("Pending", "Running", "Starting", "Stopping", "Stopped"),
              invalid_code="InvalidStatus.NotFound"),
    Parameter("LockReason", allowed=("financial", "security", "Recycling", "dedicatedhostfinancial", "refunded"),
              invalid_code="InvalidLockReason.NotFound"),
    Parameter("VpcId"),
    Parameter("VSwitchId"),
    Parameter("ZoneId"),
    Parameter("ImageId"),
    Parameter("InstanceType"),
    Parameter("InstanceNetworkType", allowed=("classic", "vpc"), invalid_code="InvalidNetworkType.NotFound"),
    Parameter("InstanceChargeType", allowed=("PostPaid", "PrePaid"),
              invalid_code="InvalidInstanceChargeType.NotFound"),
    Parameter("SecurityGroupId"),
    Parameter("PrivateIpAddresses", "json_array"),
    Parameter("InnerIpAddresses", "json_array"),
    Parameter("PublicIpAddresses", "json_array"),
    Parameter("DryRun", "boolean"),
    Parameter("AdditionalAttributes", "ignored"),
    Parameter("NeedSaleCycle", "ignored"),
    *(Parameter(name, "refused") for name in _REFUSED),
)  # fmt: skip
STATUSES = (
    REGION,
    Parameter("ZoneId"),
    Parameter("ClusterId", "refused"),
    Parameter("InstanceId", "repeat", exceeded_code="InvalidParameter.TooManyInstanceIds"),
    Parameter("PageNumber", "integer", default=1),
    Parameter("PageSize", "integer", default=10, maximum=50),
)
ALL_REGIONS = (
    Parameter("AcceptLanguage", "ignored"),
    Parameter("InstanceChargeType", "ignored"),
    Parameter("ResourceType", "ignored"),
)


def describe_instances(call: EcsCall) -> Outcome:
    """Answer DescribeInstances: filters joined by AND, pages by number or by token."""
    arguments = call.arguments
    region_id = arguments.text("RegionId")
    allowed = call.may_list(region_id)
    if arguments.flag("DryRun"):
        raise ApiError("DryRunOperation" if allowed else "Forbidden.RAM")
    matching = _matching(call, region_id) if allowed else []
    if "MaxResults" in arguments or "NextToken" in arguments:
        size = max(arguments.number("MaxResults"), MIN_TOKEN_PAGE) if "MaxResults" in arguments else MIN_TOKEN_PAGE
        after = _rank(arguments.text("NextToken"))
        rest = [instance for instance in matching if instance.rank > after]
        page = rest[:size]
        token = _token(page[-1].rank) if len(rest) > size else ""
        paging: Body = {"NextToken": token, "PageSize": size, "PageNumber": 1}
    else:
        size, number = arguments.number("PageSize"), arguments.number("PageNumber")
        page = matching[(number - 1) * size : number * size]
        paging = {"NextToken": "", "PageSize": size, "PageNumber": number}
    shown = [described(instance, call.state(instance)) for instance in page]
    return Outcome({"TotalCount": len(matching), **paging, "Instances": {"Instance": shown}})


def describe_instance_status(call: EcsCall) -> Outcome:
    """Answer DescribeInstanceStatus: IDs and statuses only."""
    arguments = call.arguments
    region_id = arguments.text("RegionId")
    if not call.may_list(region_id):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")
    wanted = arguments.texts("InstanceId")
    if missing := [instance_id for instance_id in wanted if call.find(instance_id, region_id) is None]:
        raise ApiError("InvalidInstanceId.NotFound", ", ".join(missing))
    zone_id = arguments.text("ZoneId")
    matching = [
        instance
        for instance in call.cloud.fleet.in_region(region_id)
        if instance.spec.visible
        and (not wanted or instance.spec.instance_id in wanted)
        and zone_id in ("", zone(instance))
    ]
    size, number = arguments.number("PageSize"), arguments.number("PageNumber")
    statuses = [
        {"InstanceId": instance.spec.instance_id, "Status": call.state(instance).status}
        for instance in matching[(number - 1) * size : number * size]
    ]
    return Outcome(
        {
            "TotalCount": len(matching),
            "PageNumber": number,
            "PageSize": size,
            "InstanceStatuses": {"InstanceStatus": statuses},
        }
    )


def describe_regions(_call: EcsCall) -> Outcome:
    """Answer DescribeRegions from the table of regions."""
    regions = [
        {
            "RegionId": region_id,
            "LocalName": name,
            "RegionEndpoint": f"ecs.{region_id}.aliyuncs.com",
            "Status": "available",
        }
        for region_id, name in REGIONS.items()
    ]
    return Outcome({"Regions": {"Region": regions}})


def _matching(call: EcsCall, region_id: str) -> list[EcsInstance]:
    arguments = call.arguments
    candidates = call.cloud.fleet.in_region(region_id)
    if "InstanceIds" in arguments:
        found = [call.find(instance_id, region_id) for instance_id in dict.fromkeys(arguments.texts("InstanceIds"))]
        candidates = sorted(
            (instance for instance in found if instance is not None), key=lambda instance: instance.rank
        )
    needed = tests(arguments)
    seen = [instance for instance in candidates if instance.spec.visible]
    if not needed:
        return seen
    passing = [
        instance
        for instance in seen
        if (state := call.state(instance)) and all(test(instance, state) for test in needed)
    ]
    return passing[:MOST_FILTERED] if arguments.tags("Tag") or arguments.text("ResourceGroupId") else passing


def _token(rank: int) -> str:
    return base64.urlsafe_b64encode(_TOKEN_MARK + str(rank).encode()).decode()


def _rank(token: str) -> int:
    if not token:
        return -1
    try:
        mark, rank = (text := base64.urlsafe_b64decode(token.encode()))[: len(_TOKEN_MARK)], text[len(_TOKEN_MARK) :]
    except (binascii.Error, ValueError):
        mark, rank = b"", b""
    if mark != _TOKEN_MARK or not rank.isdigit():
        raise ApiError("InvalidParameter", f"NextToken is {token[:200]!r}: send the one of the page before")
    return int(rank)
