"""Only its own end ends a fault: the same identity, and no older than the fault, whatever the order in the event."""

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import switchable

ID, TWO = "i-bp1a2b3c4d5e6f7g8h9i", "i-bp1z9y8x7w6v5u4t3s2r"
NOW = datetime(2024, 6, 1, 4, 0, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", max_event_age_seconds=0, actionable_events=switchable())
#: Minutes of the hour before NOW, in the forms that the sources use.
Make = Callable[..., dict[str, Any]]


def iso(minute: int) -> str:
    return f"2024-06-01T03:{minute:02d}:00Z"


def unix(minute: int) -> int:
    return 1717210800 + minute * 60


def alarm(*, over: bool, minute: int, instance: str | None = ID, part: str = "/dev/vda") -> dict[str, Any]:
    keys = ([f"instanceId={instance}"] if instance else ["host=onprem"]) + [f"device={part}", "userId=1"]
    return {
        "alertState": "OK" if over else "ALERT",
        "triggerLevel": "OK" if over else "CRITICAL",
        "namespace": "acs_ecs_dashboard",
        "ruleId": "r1",
        "timestamp": unix(minute) * 1000,
        "dimensions": "{" + ", ".join(keys) + "}",
    }


def mns_alarm(*, over: bool, minute: int, instance: str | None = ID, part: str = "/dev/vda") -> dict[str, Any]:
    about = {"instanceId": instance} if instance else {"host": "onprem"}
    return {
        "ruleId": "r1",
        "curLevel": "OK" if over else "CRITICAL",
        "namespace": "acs_ecs_dashboard",
        "resources": json.dumps({**about, "device": part}),
        "metricData": about,
        "time": unix(minute) * 1000,
    }


def system_event(*, over: bool, minute: int, instance: str | None = ID, part: str = "d-1") -> dict[str, Any]:
    where = instance or "i-***"
    return {
        "product": "ECS",
        "name": f"Disk:Stalled:{'Executed' if over else 'Executing'}",
        "resourceId": f"acs:ecs:cn-hangzhou:1:instance/{where}",
        "eventTime": iso(minute),
        "content": {"diskId": part, "instanceId": where},
    }


def agent(*, over: bool, minute: int, instance: str | None = ID, part: str = "") -> dict[str, Any]:
    word = "Running" if over else "Stopped"
    return {
        "product": "CloudMonitor",
        "name": f"Agent_Status_{word}",
        "status": word,
        "resourceId": f"acs:ecs:cn-hangzhou:1:instance/{instance or ''}",
        "eventTime": iso(minute),
        "content": {"part": part},
    }


def cloud_event(*, over: bool, minute: int, instance: str | None = ID, part: str = "1") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": "acs.ecs",
        "type": "ecs:Instance:SystemMaintenance.Reboot",
        "subject": f"acs:ecs:cn-hangzhou:1:instance/{instance or ''}",
        "time": iso(minute),
        "data": {"eventId": f"e-{part}-{instance}", "eventStatus": "Canceled" if over else "Scheduled"},
    }


def sls(*, over: bool, minute: int, instance: str | None = ID, part: str = "a") -> dict[str, Any]:
    about = {"instance_id": instance} if instance else {"host": "onprem"}
    return {
        "alert_id": "hang",
        "alert_instance_id": f"{instance}-{part}-{minute}",
        "status": "resolved" if over else "firing",
        "alert_time": unix(minute),
        "fire_time": unix(minute if not over else 1),
        "resolve_time": unix(minute) if over else 0,
        "labels": {**about, "part": part},
    }


def sls_with_fingerprint(*, over: bool, minute: int, instance: str | None = ID, part: str = "a") -> dict[str, Any]:
    body = sls(over=over, minute=minute, instance=instance, part=part)
    return {**body, "fingerprint": f"{instance}-{part}"}


def prometheus(*, over: bool, minute: int, instance: str | None = ID, part: str = "/") -> dict[str, Any]:
    about = {"instance_id": instance} if instance else {"instance": "10.9.0.5:9100"}
    return {
        "status": "resolved" if over else "firing",
        "labels": {"alertname": "DiskStuck", "mountpoint": part, **about},
        "startsAt": iso(1) if over else iso(minute),
        "endsAt": iso(minute) if over else "0001-01-01T00:00:00Z",
    }


def fingerprinted(*, over: bool, minute: int, instance: str | None = ID, part: str = "/") -> dict[str, Any]:
    body = prometheus(over=over, minute=minute, instance=instance, part=part)
    return {**body, "fingerprint": f"{instance}-{part}"}


def nightingale(*, over: bool, minute: int, instance: str | None = ID, part: str = "/") -> dict[str, Any]:
    about = {"instance_id": instance} if instance else {"ident": "onprem"}
    return {
        "is_recovered": over,
        "rule_id": 5,
        "rule_name": "host down",
        "hash": f"{instance}-{part}",
        "tags_map": {**about, "mount": part},
        "trigger_time": unix(1) if over else unix(minute),
        "last_eval_time": unix(minute),
    }


def subscription(*, over: bool, minute: int, instance: str | None = ID, part: str = "1") -> dict[str, Any]:
    status = "Canceled" if over else "Scheduled"
    name = f"Instance:SystemMaintenance.Reboot:{status}"
    arn = f"acs:ecs:cn-hangzhou:1:instance/{instance or ''}"
    meta = {"name": name, "product": "ECS", "regionId": "cn-hangzhou", "resourceId": arn, "status": status}
    return {
        "subscription": {"relation": "AND"},
        "alert": {
            "alertStatus": "RESOLVED" if over else "TRIGGERED",
            "eventContentMap": {"eventId": f"e-{part}-{instance}", "eventStatus": status},
            "meta": {"sysEventMeta": {**meta, "eventTime": iso(minute)}},
        },
    }


SOURCES: list[Make] = [
    alarm, mns_alarm, system_event, agent, cloud_event, sls, sls_with_fingerprint, prometheus, fingerprinted,
    nightingale, subscription,
]  # fmt: skip


class Word(NamedTuple):
    """One element of a batch."""

    over: bool
    minute: int
    instance: str | None = ID
    part: str = "x"


def rebooted(make: Make, *words: Word) -> set[str]:
    """Return what every order of the words leads to; all orders must agree."""
    elements = [make(**word._asdict()) for word in words]
    outcomes = set()
    for order in itertools.permutations(elements):
        event = read(json.dumps(list(order)).encode(), RULES, NOW)
        outcomes.add(frozenset(target.instance_id for request in event.requests for target in request.targets))
    assert len(outcomes) == 1
    return set(outcomes.pop())


@pytest.mark.parametrize("make", SOURCES)
class TestEverySource:
    def test_fires_alone(self, make: Make) -> None:
        assert rebooted(make, Word(over=False, minute=10)) == {ID}

    def test_its_own_later_end_ends_it(self, make: Make) -> None:
        assert rebooted(make, Word(over=False, minute=10), Word(over=True, minute=20)) == set()

    def test_of_one_time_the_end_counts(self, make: Make) -> None:
        assert rebooted(make, Word(over=False, minute=10), Word(over=True, minute=10)) == set()

    def test_an_end_before_it_does_not_end_it(self, make: Make) -> None:
        assert rebooted(make, Word(over=True, minute=10), Word(over=False, minute=20)) == {ID}

    def test_the_newest_of_many_words_counts(self, make: Make) -> None:
        words = [Word(over=False, minute=10), Word(over=True, minute=20), Word(over=False, minute=30)]
        assert rebooted(make, *words) == {ID}
        assert rebooted(make, *words, Word(over=True, minute=40)) == set()

    def test_the_end_of_another_machine_does_not_end_it(self, make: Make) -> None:
        assert rebooted(make, Word(over=False, minute=10), Word(over=True, minute=20, instance=TWO)) == {ID}

    def test_the_end_of_something_without_an_instance_does_not_end_it(self, make: Make) -> None:
        assert rebooted(make, Word(over=False, minute=10), Word(over=True, minute=20, instance=None)) == {ID}


@pytest.mark.parametrize("make", [make for make in SOURCES if make is not agent])
def test_the_end_of_another_part_of_the_machine_does_not_end_it(make: Make) -> None:
    assert rebooted(make, Word(over=False, minute=10), Word(over=True, minute=20, part="y")) == {ID}


def test_without_an_identity_an_end_wins() -> None:
    nameless = {"status": "resolved", "resolve_time": 1, "alert_instance_id": "a"}
    firing = {"status": "firing", "alert_instance_id": "b", "fire_results": [{"instance_id": ID}]}
    for order in ([nameless, firing], [firing, nameless]):
        assert not read(json.dumps(order).encode(), RULES, NOW).requests
    assert read(json.dumps([firing]).encode(), RULES, NOW).requests


def test_without_a_time_an_end_wins() -> None:
    words = [alarm(over=False, minute=20), {**alarm(over=True, minute=1), "timestamp": None}]
    for order in (words, words[::-1]):
        assert not read(json.dumps(order).encode(), RULES, NOW).requests
