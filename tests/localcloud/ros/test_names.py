"""Names that the services refuse are refused here too, by the one table that the checks of a template use."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from cloud_languages.resource_names import RULES, STACK
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.fleet import Fleet
from localcloud.eventbridge.bus import Bus
from localcloud.openapi.errors import ApiError
from localcloud.ram.roles import RoleRefusal
from localcloud.ram.service import create_role
from localcloud.ram.system_roles import trust
from localcloud.ros import resource_types
from localcloud.ros.call import RpcCall
from localcloud.ros.resource_types import NotMade, make
from localcloud.server.services import Services

#: Kind -> a name that is just good enough, and names that are not.
NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    STACK: ("a" + "-" * 254, ("1st", "_x", "a" * 256, "a b", "a.b", "é")),
    "ALIYUN::FC3::Function": ("_" + "a" * 63, ("", "1st", "-x", "a" * 65, "a.b")),
    "ALIYUN::FC3::Trigger": ("a" * 128, ("", "1st", "-x", "a" * 129, "a b")),
    "ALIYUN::MNS::Queue": ("1" + "-" * 119, ("", "-x", "a" * 121, "a_b")),
    "ALIYUN::MNS::Topic": ("1" + "-" * 119, ("", "-x", "a" * 121, "a_b")),
    "ALIYUN::OSS::Bucket": ("1" + "-" * 61 + "z", ("ab", "Abc", "-bc", "ab-", "a" * 64, "a_b")),
    "ALIYUN::OTS::InstanceV2": ("a" * 15 + "1", ("ab", "1ab", "ab-", "a" * 17, "my-admin", "ToTS-1")),
    "ALIYUN::OTS::Table": ("_" + "a" * 254, ("", "1a", "a-b", "a" * 256)),
    "ALIYUN::RAM::Role": ("a.-" + "1" * 61, ("", "a_b", "a b", "a" * 65)),
    "ALIYUN::SLS::Project": ("1" + "-" * 61 + "z", ("ab", "Abc", "ab-", "a" * 64, "a_b")),
    "ALIYUN::SLS::Logstore": ("1_1", ("a", "1-", "Ab", "a" * 64, "a b")),
}


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    services = Services(Cloud.from_fleet(Fleet()))
    yield services
    services.close()


def test_every_rule_is_tried() -> None:
    assert NAMES.keys() == RULES.keys()
    assert all(rule.source and rule.code and rule.form for rule in RULES.values())


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_taken_or_refused_with_the_reason(services: Services, kind: str) -> None:
    good, wrong = NAMES[kind]
    assert RULES[kind].mistake(good) == ""
    for name in wrong:
        assert RULES[kind].mistake(name), name
        told = refused(services, kind, name)
        assert RULES[kind].code in told, name
        assert RULES[kind].mistake(name) in told


def refused(services: Services, kind: str, name: str) -> str:
    if kind == STACK:
        given = {"RegionId": "cn-hangzhou", "StackName": name, "TemplateBody": "{}"}
        with pytest.raises(ApiError) as error:
            services.ros.carry_out(RpcCall("CreateStack", given, Identity(kind="root", name="1234567890123456")))
        return f"{error.value.code} {error.value.message}"
    properties: dict[str, Any] = {RULES[kind].key: name}
    with pytest.raises(NotMade) as not_made:
        make(services.account, kind, properties)
    return str(not_made.value)


def test_ram_refuses_a_wrong_name_and_one_that_is_taken(services: Services) -> None:
    given = {"AssumeRolePolicyDocument": json.dumps(trust("ecs.aliyuncs.com"))}
    create_role(services.account.roles, {**given, "RoleName": "taken"})
    for name, code, status in (
        ("a_b", "InvalidParameter.RoleName", 400),
        ("taken", "EntityAlreadyExists.Role", 409),
    ):
        with pytest.raises(ApiError) as refused:
            create_role(services.account.roles, {**given, "RoleName": name})
        assert (refused.value.code, refused.value.status) == (code, status)


def test_a_trigger_on_another_source_than_that_of_cloud_services_is_refused(services: Services) -> None:
    config = {"triggerEnable": True, "eventRuleFilterPattern": "{}", "eventSourceConfig": {"eventSourceType": "MNS"}}
    with pytest.raises(RoleRefusal, match="eventSourceType MNS: the local cloud has the bus default alone"):
        resource_types._event_trigger(services.account, "any", "any/events", {"TriggerConfig": config})


EVENT = {"id": "e-1", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:StateChange"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": "my.app"}, "of cloud services alone"),
        ({"source": "acs."}, "of cloud services alone"),
        ({"id": "e 1"}, "letters, digits and -"),
        ({"id": "e" * 129}, "128 are allowed"),
        ({"type": "t" * 65}, "64 are allowed"),
        ({"subject": "s" * 513}, "512 are allowed"),
        ({"data": "d" * 262_144}, "262144 are allowed"),
        ({"specversion": ""}, "no specversion"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_event_that_the_bus_does_not_take(services: Services, change: dict[str, Any], told: str) -> None:
    bus = services.account.bus
    with pytest.raises(ValueError, match=told):
        bus.put_events([EVENT, {**EVENT, **change}])
    assert bus.put_events([EVENT]) == 0


def test_the_bus_has_so_many_rules_and_no_more() -> None:
    bus, pattern = Bus("1234567890123456", "cn-hangzhou", datetime.now), '{"source": ["acs.ecs"]}'
    for number in range(50):
        bus.add(f"rule-{number}", pattern, lambda _event: None)
    with pytest.raises(ValueError, match="50 rules already"):
        bus.add("one-more", pattern, lambda _event: None)
    assert bus.put_events([EVENT]) == 50
