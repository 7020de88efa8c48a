"""What a region has to offer: DescribeZones and DescribeInstanceTypes. There is one instance type."""

from localcloud.ecs.call import EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.ecs.presentation import CORES, FAMILY, INSTANCE_TYPE, MEMORY_GIB, zone

ZONES = (
    REGION,
    *(Parameter(name, "ignored") for name in ("AcceptLanguage", "InstanceChargeType", "SpotStrategy", "Verbose")),
)
_REFUSED = (
    "CpuArchitecture",
    "CpuArchitectures",
    "GPUSpec",
    "GpuSpecs",
    "InstanceCategories",
    "InstanceCategory",
    "InstanceFamilyLevel",
    "InstanceTypeFamilies",
    "LocalStorageCategories",
    "LocalStorageCategory",
    "MaximumCpuCoreCount",
    "MaximumCpuSpeedFrequency",
    "MaximumCpuTurboFrequency",
    "MaximumGPUAmount",
    "MaximumMemorySize",
    "MinimumBaselineCredit",
    "MinimumCpuCoreCount",
    "MinimumCpuSpeedFrequency",
    "MinimumCpuTurboFrequency",
    "MinimumDiskQuantity",
    "MinimumEniIpv6AddressQuantity",
    "MinimumEniPrivateIpAddressQuantity",
    "MinimumEniQuantity",
    "MinimumEriQuantity",
    "MinimumGPUAmount",
    "MinimumInitialCredit",
    "MinimumInstanceBandwidthRx",
    "MinimumInstanceBandwidthTx",
    "MinimumInstancePpsRx",
    "MinimumInstancePpsTx",
    "MinimumLocalStorageAmount",
    "MinimumLocalStorageCapacity",
    "MinimumMemorySize",
    "MinimumPrimaryEniQueueNumber",
    "MinimumQueuePairNumber",
    "MinimumSecondaryEniQueueNumber",
    "NextToken",
    "NvmeSupport",
    "PhysicalProcessorModel",
    "PhysicalProcessorModels",
)
INSTANCE_TYPES = (
    Parameter("InstanceTypes", "repeat"),
    Parameter("InstanceTypeFamily"),
    Parameter("MaxResults", "ignored"),
    Parameter("AdditionalAttributes", "ignored"),
    *(Parameter(name, "refused") for name in _REFUSED),
)


def describe_zones(call: EcsCall) -> Outcome:
    """Answer with the zones that the region's instances are in, and the one that is there without any."""
    region_id = call.arguments.text("RegionId")
    zones = {f"{region_id}-b", *(zone(instance) for instance in call.cloud.fleet.in_region(region_id))}
    described = [
        {
            "ZoneId": zone_id,
            "LocalName": f"Zone {zone_id.rpartition('-')[2].upper()}",
            "ZoneType": "AvailabilityZone",
            "AvailableResourceCreation": {"ResourceTypes": ["VSwitch", "IoOptimized", "Instance", "Disk"]},
            "AvailableInstanceTypes": {"InstanceTypes": [INSTANCE_TYPE]},
            "AvailableDiskCategories": {"DiskCategories": ["cloud_essd"]},
        }
        for zone_id in sorted(zones)
    ]
    return Outcome({"Zones": {"Zone": described}})


def describe_instance_types(call: EcsCall) -> Outcome:
    """Answer with the one instance type, unless another is asked for."""
    wanted, family = call.arguments.texts("InstanceTypes"), call.arguments.text("InstanceTypeFamily")
    offered = {
        "InstanceTypeId": INSTANCE_TYPE,
        "InstanceTypeFamily": FAMILY,
        "InstanceCategory": "General-purpose",
        "CpuCoreCount": CORES,
        "MemorySize": float(MEMORY_GIB),
        "CpuArchitecture": "X86",
        "GPUAmount": 0,
        "GPUSpec": "",
        "LocalStorageCategory": "",
    }
    found = [offered] if (not wanted or INSTANCE_TYPE in wanted) and family in ("", FAMILY) else []
    return Outcome({"InstanceTypes": {"InstanceType": found}, "NextToken": ""})
