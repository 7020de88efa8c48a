"""Where each service is spoken to in each region: over the internet, and from inside a VPC.

Ours rather than the SDK's: its ``network`` counts only for a region that its own table of endpoints lacks. So a
function without internet access in cn-hangzhou, which is in the ECS SDK's table, would have asked a public address and
never been answered.
"""

from ecs_reboot.named_tuple import NamedTuple


class _Hosts(NamedTuple):
    public: str
    vpc: str


#: Service, as RAM calls it -> its host names. ``{owner}`` is the account at Function Compute and the instance at
#: Tablestore.
_HOSTS = {
    # ECS, "Endpoints" (2026-01-12): each region has both, cn-hangzhou too.
    "ecs": _Hosts("ecs.{region}.aliyuncs.com", "ecs-vpc.{region}.aliyuncs.com"),
    # Log Service, "Endpoints": the internal endpoint is that of VPCs and of the classic network.
    "log": _Hosts("{region}.log.aliyuncs.com", "{region}-intranet.log.aliyuncs.com"),
    # Tablestore, "Endpoints".
    "ots": _Hosts("{owner}.{region}.ots.aliyuncs.com", "{owner}.{region}.vpc.tablestore.aliyuncs.com"),
    # Function Compute, "Endpoints": the internal endpoint.
    "fc": _Hosts("{owner}.{region}.fc.aliyuncs.com", "{owner}.{region}-internal.fc.aliyuncs.com"),
    # Auto Scaling, "Endpoints", and the table of its SDK 1.13.3.
    "ess": _Hosts("ess.{region}.aliyuncs.com", "ess-vpc.{region}.aliyuncs.com"),
    # OSS, "Regions and endpoints": the internal endpoint is that of VPCs and of the classic network.
    "oss": _Hosts("oss-{region}.aliyuncs.com", "oss-{region}-internal.aliyuncs.com"),
    # CloudMonitor, the table of its SDK 4.0.10. No source names a host inside a VPC: see CMS_ENDPOINT.
    "cms": _Hosts("metrics.{region}.aliyuncs.com", "metrics.{region}.aliyuncs.com"),
}
#: Regions where a service's public host is the one for all of them.
_CENTRAL = {
    "ess": (
        "ess.aliyuncs.com",
        (
            "cn-qingdao", "cn-beijing", "cn-hangzhou", "cn-shanghai", "cn-shenzhen", "cn-hongkong", "cn-nanjing",
            "ap-southeast-1", "us-east-1", "us-west-1", "cn-shanghai-finance-1", "cn-shenzhen-finance-1",
            "cn-beijing-finance-1", "cn-north-2-gov-1",
        ),
    ),
}  # fmt: skip

SERVICES = tuple(_HOSTS)


def host(service: str, region_id: str, network: str, *, owner: str = "") -> str:
    """Return the service's host in the region: that inside a VPC where ``network`` is "vpc", else the public one."""
    hosts = _HOSTS[service]
    central, regions = _CENTRAL.get(service, ("", ()))
    if network != "vpc" and region_id in regions:
        return central
    return (hosts.vpc if network == "vpc" else hosts.public).format(region=region_id, owner=owner)


def url(service: str, region_id: str, network: str, *, owner: str = "") -> str:
    """Return the same with https in front of it."""
    return "https://" + host(service, region_id, network, owner=owner)
