"""An instance as DescribeInstances shows it: the declared facts, and plausible constants for what is not modelled."""

from datetime import datetime, timezone

from localcloud.account.instances import EcsInstance, StateChange
from localcloud.ecs.call import Body

IMAGE, INSTANCE_TYPE, SECURITY_GROUP = "aliyun_3_x64_20G_alibase_local.vhd", "ecs.g7.large", "sg-bp1local000000000000"
FAMILY, CORES, MEMORY_GIB = "ecs.g7", 2, 8
_NEVER_EXPIRES = datetime(2099, 12, 31, 15, 59, tzinfo=timezone.utc)


def api_time(moment: datetime | None) -> str:
    """Write a time as ECS does: UTC, to the minute; empty if there is none."""
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%MZ")


def api_seconds(moment: datetime | None) -> str:
    """Write a time as newer answers do: UTC, to the second; empty if there is none."""
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def disk_id(instance: EcsInstance) -> str:
    """Return the ID of an instance's system disk, its only one."""
    return f"d-local{instance.rank:010d}"


def zone(instance: EcsInstance) -> str:
    """Return the zone of an instance."""
    return instance.spec.zone_id or f"{instance.spec.region_id}-b"


def vswitch(instance: EcsInstance) -> str:
    """Return the vSwitch of an instance; empty on the classic network."""
    return "vsw-bp1local000000000000" if instance.spec.vpc_id else ""


def network(instance: EcsInstance) -> str:
    """Return the type of network an instance is on: vpc or classic."""
    return "vpc" if instance.spec.vpc_id else "classic"


def private_ip(instance: EcsInstance) -> str:
    """Return the private address of an instance: the declared one, or one made of its place in the fleet."""
    return (
        instance.spec.private_ip or f"10.{instance.rank >> 16 & 255}.{instance.rank >> 8 & 255}.{instance.rank & 255}"
    )


def described(instance: EcsInstance, state: StateChange) -> Body:
    """Return an instance in a given state, in the fields of DescribeInstances."""
    spec = instance.spec
    address = private_ip(instance)
    in_vpc = bool(spec.vpc_id)
    return {
        "InstanceId": spec.instance_id,
        "InstanceName": spec.instance_name or spec.instance_id,
        "HostName": spec.instance_name or spec.instance_id,
        "Description": "",
        "Status": state.status,
        "StoppedMode": "KeepCharging" if state.status == "Stopped" else "Not-applicable",
        "RegionId": spec.region_id,
        "ZoneId": zone(instance),
        "CreationTime": api_time(instance.created),
        "StartTime": api_time(state.start_time),
        "ExpiredTime": api_time(spec.expired_time or _NEVER_EXPIRES),
        "AutoReleaseTime": api_time(spec.auto_release_time),
        "InstanceChargeType": spec.instance_charge_type,
        "ResourceGroupId": spec.resource_group_id,
        "InstanceType": INSTANCE_TYPE,
        "InstanceTypeFamily": FAMILY,
        "Cpu": CORES,
        "Memory": MEMORY_GIB * 1024,
        "ImageId": IMAGE,
        "OSName": "Alibaba Cloud Linux 3 64 bit",
        "OSType": "linux",
        "SerialNumber": f"local-{instance.rank:08d}",
        "DeviceAvailable": True,
        "IoOptimized": True,
        "DeletionProtection": False,
        "Recyclable": False,
        "SpotStrategy": "NoSpot",
        "InternetChargeType": "PayByTraffic",
        "InternetMaxBandwidthIn": 0,
        "InternetMaxBandwidthOut": 0,
        "OperationLocks": {"LockReason": [{"LockReason": reason, "LockMsg": ""} for reason in spec.operation_locks]},
        "Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in state.tags.items()]},
        "InstanceNetworkType": network(instance),
        "VpcAttributes": {
            "VpcId": spec.vpc_id,
            "VSwitchId": vswitch(instance),
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [address] if in_vpc else []},
        },
        # Older clients read on in this order: the Elastic IP address stands in where there is no public one.
        "EipAddress": {"AllocationId": "", "IpAddress": "", "InternetChargeType": ""},
        "PublicIpAddress": {"IpAddress": []},
        "InnerIpAddress": {"IpAddress": [] if in_vpc else [address]},
        "RdmaIpAddress": {"IpAddress": []},
        "SecurityGroupIds": {"SecurityGroupId": [SECURITY_GROUP]},
        "NetworkInterfaces": {
            "NetworkInterface": [
                {
                    "NetworkInterfaceId": f"eni-bp1local{instance.rank:012d}",
                    "MacAddress": "00:16:3e:{:02x}:{:02x}:{:02x}".format(*instance.rank.to_bytes(3, "big")),
                    "PrimaryIpAddress": address,
                    "Type": "Primary",
                }
            ]
            if in_vpc
            else []
        },
    }
