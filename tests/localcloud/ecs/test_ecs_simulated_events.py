"""System events that a person simulates: they are open, a reboot settles a maintenance, and they can be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from ecs_requests import HZ, NORTH, NOW, WEB, code, reboot
from signed_requests import Api, timestamp

TOMORROW = timestamp(NOW + timedelta(days=1))


def simulate(api: Api, kind: str, instance_id: str = WEB, due: str = TOMORROW) -> tuple[int, Any]:
    given = {"InstanceId.1": instance_id, "EventType": kind, "NotBefore": due}
    return api.call("CreateSimulatedSystemEvents", given, RegionId=HZ)


def cycles(api: Api) -> list[str]:
    every = {f"InstanceEventCycleStatus.{place}": name for place, name in enumerate(("Scheduled", "Avoided"), 1)}
    _, told = api.call("DescribeInstanceHistoryEvents", every, RegionId=HZ, InstanceId=WEB)
    events = told["InstanceSystemEventSet"]["InstanceSystemEventType"]
    return [event["EventCycleStatus"]["Name"] for event in events]


def test_a_reboot_settles_a_simulated_maintenance(api: Api) -> None:
    status, told = simulate(api, "SystemMaintenance.Reboot")
    assert (status, len(told["EventIdSet"]["EventId"])) == (200, 1)
    assert cycles(api) == ["Scheduled"]
    assert reboot(api, WEB)[0] == 200
    api.cloud.clock.step(3600)
    api.cloud.advance()
    assert cycles(api) == ["Avoided"]


def test_it_is_taken_back_once(api: Api) -> None:
    (event_id,) = simulate(api, "SystemMaintenance.Redeploy")[1]["EventIdSet"]["EventId"]
    assert api.call("CancelSimulatedSystemEvents", {"EventId.1": event_id}, RegionId=HZ)[0] == 200
    assert cycles(api) == []
    again = api.call("CancelSimulatedSystemEvents", {"EventId.1": event_id}, RegionId=HZ)
    assert code(again) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    ("kind", "instance_id", "due", "refused"),
    [
        ("SystemMaintenance.Reboot", WEB, timestamp(NOW - timedelta(hours=1)), "InvalidNotBefore.Passed"),
        ("SystemMaintenance.Reboot", NORTH, TOMORROW, "InvalidInstanceId.NotFound"),
        ("SystemMaintenance.Paint", WEB, TOMORROW, "InvalidParameter"),
    ],
)
def test_what_can_not_be_simulated_is_refused(api: Api, kind: str, instance_id: str, due: str, refused: str) -> None:
    assert code(simulate(api, kind, instance_id, due))[1] == refused
    assert cycles(api) == []
