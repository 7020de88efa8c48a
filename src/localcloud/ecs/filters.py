"""The filters of DescribeInstances: parameter -> what an instance must be."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from localcloud.account.instances import EcsInstance, StateChange
from localcloud.ecs.parameters import Arguments
from localcloud.ecs.presentation import IMAGE, INSTANCE_TYPE, SECURITY_GROUP, network, private_ip, vswitch, zone

Test = Callable[[EcsInstance, StateChange], bool]


def tests(arguments: Arguments) -> list[Test]:
    """Return what an instance must pass, all of it, to be described; the region and the IDs aside."""
    return [
        *(make(value) for name, make in _FILTERS.items() if (value := arguments.text(name))),
        *(
            _address_in(arguments.texts(name), addresses)
            for name, addresses in _ADDRESS_FILTERS.items()
            if name in arguments
        ),
        *(_tagged(key, value) for key, value in arguments.tags("Tag")),
    ]


def _tagged(key: str, value: str | None) -> Test:
    if not value:
        return lambda _instance, state: key in state.tags
    return lambda _instance, state: state.tags.get(key) == value


def _address_in(wanted: tuple[str, ...], addresses: Callable[[EcsInstance], tuple[str, ...]]) -> Test:
    return lambda instance, _state: not set(wanted).isdisjoint(addresses(instance))


def _fixed(of: Callable[[EcsInstance], str]) -> Callable[[str], Test]:
    return lambda wanted: lambda instance, _state: of(instance) == wanted


_FILTERS: dict[str, Callable[[str], Test]] = {
    "ResourceGroupId": _fixed(lambda instance: instance.spec.resource_group_id),
    "VpcId": _fixed(lambda instance: instance.spec.vpc_id),
    "VSwitchId": _fixed(vswitch),
    "ZoneId": _fixed(zone),
    "ImageId": _fixed(lambda _instance: IMAGE),
    "InstanceType": _fixed(lambda _instance: INSTANCE_TYPE),
    "SecurityGroupId": _fixed(lambda _instance: SECURITY_GROUP),
    "InstanceChargeType": _fixed(lambda instance: instance.spec.instance_charge_type),
    "InstanceNetworkType": _fixed(network),
    "InstanceName": lambda wanted: lambda instance, _state: _name_matches(instance.spec.instance_name, wanted),
    "Status": lambda wanted: lambda _instance, state: state.status == wanted,
    "LockReason": lambda wanted: lambda instance, _state: wanted in instance.spec.operation_locks,
}
_ADDRESS_FILTERS: dict[str, Callable[[EcsInstance], tuple[str, ...]]] = {
    "PrivateIpAddresses": lambda instance: (private_ip(instance),) if instance.spec.vpc_id else (),
    "InnerIpAddresses": lambda instance: () if instance.spec.vpc_id else (private_ip(instance),),
    "PublicIpAddresses": lambda _instance: (),
}


def _name_matches(name: str, pattern: str) -> bool:
    # Only * is a wildcard in ECS: what else fnmatch would read is taken literally.
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
