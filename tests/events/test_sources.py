"""What every source must show, and what a new one still lacks: its row, its samples, its ends, its contradictions."""

import base64
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from source_samples import ID, SAMPLES, Sample

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.source_table import SHAPES
from ecs_reboot.events.system_event_catalog import switchable
from ecs_reboot.model import ParsedEvent

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(
    default_region="cn-hangzhou", webhook_token="t", max_event_age_seconds=0, actionable_events=switchable()
)
#: Sources of requests and of records: no fault begins or ends in them.
NO_FAULTS = {"actiontrail", "timer"}
KINDS = {sample.trigger for sample in SAMPLES}
each_source = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.trigger)


def reading(event: object) -> ParsedEvent:
    return read(event if isinstance(event, bytes) else json.dumps(event).encode(), RULES, NOW)


def codes(found: ParsedEvent) -> list[str]:
    return [*(item.code for item in found.ignored), *(item.code for item in found.rejected)]


def asked(found: ParsedEvent) -> list[str]:
    return [target.instance_id for request in found.requests for target in request.targets]


class TestEverySourceHas:
    """Run by CI like all tests: each says what a new source still lacks."""

    @pytest.mark.parametrize("module", sorted({shape.module for shape in SHAPES if shape.module}))
    def test_its_own_file(self, module: str) -> None:
        assert (ROOT / "src" / "ecs_reboot" / "events" / "sources" / f"{module}.py").exists()

    @pytest.mark.parametrize("kind", sorted({shape.kind for shape in SHAPES if shape.module}))
    def test_a_row_in_the_documents_table_of_sources(self, kind: str) -> None:
        page = (ROOT / "docs" / "understand" / "events.md").read_text("utf-8")
        rows = re.findall(r"^\| `([a-z_>]+)` \|(.*)\|$", page, re.MULTILINE)
        named = [trigger for trigger, cells in rows if trigger.partition(">")[0] == kind and cells.count("|") == 4]
        assert named, f"docs/understand/events.md has no row with firing, end, identity and time of {kind}"

    @pytest.mark.parametrize("kind", sorted({shape.kind for shape in SHAPES if shape.module} - NO_FAULTS))
    def test_a_firing_sample_with_recoveries_and_contradictions(self, kind: str) -> None:
        mine = [sample for sample in SAMPLES if sample.trigger.partition(">")[0] == kind]
        assert mine, f"tests/events/source_samples.py has no sample of {kind}"
        assert all(sample.over and sample.at_odds for sample in mine), f"{kind}: say how it ends and contradicts itself"
        assert all(sample.monitor or sample.is_system_event for sample in mine), f"{kind}: what does a test look like?"


@each_source
class TestEverySource:
    def test_fires_alone_and_names_its_way(self, sample: Sample) -> None:
        found = reading(sample.firing)
        assert (found.trigger, asked(found), codes(found)) == (sample.trigger, [ID], [])

    def test_its_ends_end_it(self, sample: Sample) -> None:
        for change in sample.over:
            found = reading({**sample.firing, **change})
            assert (asked(found), codes(found)) == ([], ["alarm_over"]), change

    def test_contradictions_reboot_nothing(self, sample: Sample) -> None:
        for change in sample.at_odds:
            found = reading({**sample.firing, **change})
            assert asked(found) == [], change
            assert len(codes(found)) == 1, change

    def test_what_the_monitor_says_of_itself_is_no_fault(self, sample: Sample) -> None:
        for change in sample.monitor:
            found = reading({**sample.firing, **change})
            assert asked(found) == [], change
            assert codes(found)[0] in ("monitor_fault", "test_alert"), change
            assert all(item.reason for item in found.ignored)

    def test_without_an_instance_nothing_is_rebooted(self, sample: Sample) -> None:
        text = json.dumps(sample.firing).replace(ID, "10.0.0.4:9100")
        found = reading(text.encode())
        assert asked(found) == []
        assert codes(found)[0] in ("no_instance_id", "invalid_instance_id")

    def test_the_word_is_not_believed_in_another_type(self, sample: Sample) -> None:
        for key, value in sample.firing.items():
            for strange in ([value], {"x": value}, 7, True, None):
                assert set(asked(reading({**sample.firing, key: strange}))) <= {ID}

    @pytest.mark.parametrize(
        "door", ["list", "string", "cloud_event", "base64", "queue", "topic", "stream", "http", "get"]
    )
    def test_comes_through_every_door(self, sample: Sample, door: str) -> None:
        found = reading(through(door, json.dumps(sample.firing)))
        assert asked(found) == [ID]
        assert found.trigger.endswith(sample.trigger)
        over = reading(through(door, json.dumps({**sample.firing, **sample.over[0]})))
        assert (asked(over), codes(over)) == ([], ["alarm_over"])


def through(door: str, text: str) -> object:
    """Put an event, as text, into the envelope of a door."""
    cloud = {"specversion": "1.0", "id": "1", "source": "my.own", "type": "x:y", "time": "2024-06-01T03:39:00Z"}
    coded = base64.b64encode(text.encode()).decode()
    request: dict[str, Any] = {"rawPath": "/", "headers": {"authorization": "Bearer t"}, "body": text}
    doors: dict[str, object] = {
        "list": [json.loads(text)],
        "string": text,
        "cloud_event": {**cloud, "data": json.loads(text)},
        "base64": {**cloud, "data_base64": coded},
        "queue": {**cloud, "source": "acs:mns", "type": "mns:Queue:SendMessage", "data": {"messageBody": coded}},
        "topic": {"TopicName": "t", "Message": text, "MessageId": "1"},
        "stream": {"body": text, "attrs": {"Extend": "{}"}},
        "http": {**request, "body": coded, "isBase64Encoded": True},
        "get": {**request, "body": "", "queryParameters": {"data": text, "x": "1"}},
    }
    return doors[door]


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.trigger.startswith("cms_subscription")])
@pytest.mark.parametrize("over_get", [False, True])
def test_a_subscription_comes_as_a_form_whose_fields_hold_json(sample: Sample, over_get: bool) -> None:  # noqa: FBT001
    for fields, expected in ((sample.firing, [ID]), ({**sample.firing, **sample.over[0]}, [])):
        form = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
        event: object = urlencode(form).encode()
        if over_get:
            event = {"rawPath": "/", "headers": {}, "body": None, "queryParameters": {**form, "token": "t"}}
        assert asked(reading(event)) == expected


@given(st.sampled_from(SAMPLES), st.data())
@examples(150)
def test_any_order_of_a_batch_gives_the_same_decision(sample: Sample, data: st.DataObject) -> None:
    changes = [{}, *sample.over, *sample.at_odds, *sample.monitor]
    elements = data.draw(
        st.lists(
            st.tuples(st.sampled_from(changes), st.sampled_from([ID, "i-bp1z9y8x7w6v5u4t3s2r"]), st.integers(30, 39)),
            min_size=2,
            max_size=5,
        )
    )
    events = []
    for change, instance, minute in elements:
        text = json.dumps({**sample.firing, **change}).replace(ID, instance)
        text = text.replace("T03:39:", f"T03:{minute}:").replace("T1139", f"T11{minute}")
        events.append(json.loads(text.replace("1717213140", str(1717210800 + minute * 60))))
    outcomes = set()
    for order in (events, events[::-1], data.draw(st.permutations(events))):
        found = reading(order)
        outcomes.add((frozenset(asked(found)), tuple(sorted(codes(found)))))
    assert len(outcomes) == 1


def test_java_map_text_survives_commas_and_equals_signs() -> None:
    alarm = next(sample.firing for sample in SAMPLES if sample.trigger == "cms_threshold")
    for text, expected in [
        (f"{{instanceId={ID}, processName=java -Dopts=a,b -jar x.jar, userId=1}}", [ID]),
        (f"{{processName=a,b=c, d=e, instanceId={ID}, userId=1}}", [ID]),
        (f" {{instanceId={ID}, device=/dev/vda1}} ", [ID]),
        (f'  [{{"instanceId": "{ID}"}}]', [ID]),
        (f'{{ "instanceId": "{ID}"}}', [ID]),
        (f"{{processName=x, instanceId={ID}, instanceId=i-bp1z9y8x7w6v5u4t3s2r}}", []),
        (f"{{instanceId={ID},x}}", []),
        (f"{{processName=x, instanceId={ID}", []),
    ]:
        assert asked(reading({**alarm, "dimensions": text})) == expected, text
        form = "&".join(f"{key}={quote_plus(str(value))}" for key, value in {**alarm, "dimensions": text}.items())
        assert asked(reading(form.encode())) == expected, text


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("cn-shanghai", "cn-shanghai"),
        ("east", "cn-hangzhou"),
        ("prod-1", "cn-hangzhou"),
        ("eu-central-1", "eu-central-1"),
    ],
)
def test_a_label_region_counts_only_where_it_is_a_region_id(value: str, region: str) -> None:
    labels = {"alertname": "HostDown", "instance_id": ID, "region": value}
    alert = {"status": "firing", "labels": labels, "startsAt": "2024-06-01T03:39:00Z"}
    (request,) = reading({"status": "firing", "groupLabels": {}, "alerts": [alert]}).requests
    assert request.targets[0].region_id == region


def test_an_alert_without_an_instance_says_which_labels_it_has() -> None:
    labels = {"alertname": "HostDown", "host": "web-01"}
    alert = {"status": "firing", "labels": labels, "startsAt": "2024-06-01T03:39:00Z"}
    (refused,) = reading({"status": "firing", "groupLabels": {}, "alerts": [alert]}).rejected
    assert "alertname, host" in refused.reason
    assert "INSTANCE_LABELS" in refused.reason


@pytest.mark.parametrize(("age", "said"), [(7 * 86_400, "7 d ago"), (3 * 3600, "3 h ago"), (2000, "33 min ago")])
def test_ages_are_said_in_a_unit_that_a_person_reads(age: int, said: str) -> None:
    alarm = next(sample.firing for sample in SAMPLES if sample.trigger == "cms_threshold")
    event = {**alarm, "timestamp": int(NOW.timestamp() - age)}
    (stale,) = read(json.dumps(event).encode(), RULES.model_copy(update={"max_event_age_seconds": 1800}), NOW).ignored
    assert said in stale.reason


@pytest.mark.parametrize(
    "data", [{"name": "web"}, {"tags": {"app": "web"}}, {"name": "web", "reason": "x"}, {"reset": [ID]}]
)
def test_a_strangers_object_in_a_cloud_event_is_no_request(data: object) -> None:
    event = {"specversion": "1.0", "source": "my.own", "type": "x", "data": data}
    assert codes(reading(event)) == ["information"]
    asked_for = {**event, "data": {"tags": {"app": "web"}, "region_id": "cn-hangzhou"}}
    assert len(reading(asked_for).requests) == 1


def test_the_agents_events_come_over_eventbridge_too() -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "acs.cms", "type": "cms:CloudMonitor:AgentStatusStopped",
        "subject": f"acs:ecs:cn-hangzhou:1:instance/{ID}", "time": "2024-06-01T03:39:00Z", "data": {"state": "stopped"},
    }  # fmt: skip
    assert asked(reading(event)) == [ID]
    running = {**event, "type": "cms:CloudMonitor:AgentStatusRunning", "data": {"state": "running"}}
    assert codes(reading(running)) == ["alarm_over"]
    assert codes(reading([event, {**running, "time": "2024-06-01T03:39:30Z"}])) == ["alarm_over", "alarm_over"]
    assert codes(reading({**event, "subject": "acs:rds:cn-hangzhou:1:instance/x"})) == ["not_ecs"]
