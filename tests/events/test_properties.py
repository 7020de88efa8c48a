"""What must hold for every event, also for those nobody has thought of."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.state_words import RECOVERY
from ecs_reboot.events.system_event_catalog import switchable
from ecs_reboot.model import ParsedEvent

SAMPLES = Path(__file__).parent.parent / "samples"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", max_event_age_seconds=0, actionable_events=switchable())
IDS = re.compile(r"(?<![0-9A-Za-z-])i-[0-9a-z]{9,30}(?![0-9A-Za-z*-])")
ALL = {
    path.name: path.read_bytes()
    for path in sorted(SAMPLES.iterdir())
    if path.name[:2].isdigit() or path.name.startswith("twin-")
}
FIRING = {name: event for name, event in ALL.items() if read(event, RULES, NOW).requests}
# Without envelopes that encode their content: the IDs and states stand in the text as they are.
PLAIN = {
    name: json.loads(event)
    for name, event in FIRING.items()
    if name.endswith(".json") and b"instance_ids" not in event and b"messageBody" not in event
    if b'{\\"' not in event or b"resources" in event
}
STATE_FIELDS = {
    "alertState", "triggerLevel", "curLevel", "eventName", "status", "eventStatus", "state", "resolve_time",
    "executeFinishTime",
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["i-bp1a2b3c4d5e6f7g8h9i", "ALERT", "firing", "acs_ecs", "cn-hangzhou", "OK"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["alertState", "dimensions", "instanceId", "namespace", "name", "content", "product", "resourceId",
             "status",
             "labels", "alerts", "startsAt", "endsAt", "alert_instance_id", "fire_results", "instance_ids", "tags",
             "specversion", "source", "type", "data", "Message", "TopicName", "payload", "triggerTime", "triggerName",
             "requestContext", "headers", "body", "curLevel", "metricData", "resources", "state", "evalMatches",
             "eventName", "serviceName", "eventRW", "region_id", "force", "override", "reason"]
        ) | st.text(max_size=8),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


def named(reading: ParsedEvent) -> set[str]:
    return {target.instance_id for request in reading.requests for target in request.targets}


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path of every value inside a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += places(child, (*path, key))
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Copy a JSON value with the one at the path replaced, or left out for ``...``."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if new is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copy


@given(st.binary(max_size=200))
def test_no_bytes_crash_or_reboot(event: bytes) -> None:
    assert not read(event, RULES, NOW).requests


@given(json_values)
@examples(400)
def test_any_json_gives_a_reading_that_can_be_written_down(value: object) -> None:
    text = json.dumps(value)
    reading = read(text.encode(), RULES, NOW)
    assert ParsedEvent.model_validate_json(reading.model_dump_json()) == reading
    assert named(reading) <= set(IDS.findall(text))


def texts_in(text: str, depth: int = 5) -> Iterator[str]:
    """Give a text and all that stand in it: strings of JSON, a form's fields, base64, and what is in these."""
    yield text
    try:
        value = json.loads(text)
    except ValueError:
        inner = [unquote_plus(text)]
    else:
        inner = [value] if isinstance(value, str) else strings(value)
    with suppress(ValueError):
        inner.append(b64decode("".join(text.split()), validate=True).decode())
    for found in inner if depth else ():
        if found != text:
            yield from texts_in(found, depth - 1)


def strings(value: Any) -> list[str]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in ([child] if isinstance(child, str) else strings(child))]


def ids_in(event: bytes) -> set[str]:
    return {found for text in texts_in(event.decode(errors="replace")) for found in IDS.findall(text)}


@pytest.mark.parametrize(
    ("name", "start", "end", "left"),
    [
        ("09-cms-threshold-form-ecs-alert-rebuilt.txt", 628, 629, "i-p1a2b3c4d5e6f7g8h9i"),
        ("twin-61-mns-queue-base64-manual.json", 770, 774, "i-a2b3c4d5e6f7g8h9i"),
    ],
)
def test_an_id_that_damage_made_shorter_is_there_in_what_is_encoded(name: str, start: int, end: int, left: str) -> None:
    damaged = ALL[name][:start] + ALL[name][end:]
    assert left in named(read(damaged, RULES, NOW)) & ids_in(damaged)
    assert left not in named(read(ALL[name], RULES, NOW)) | ids_in(ALL[name])


@given(st.sampled_from(sorted(ALL)), st.data())
@examples(300)
def test_damaged_bytes_of_samples_never_name_an_id_that_is_not_there(name: str, data: st.DataObject) -> None:
    event = ALL[name]
    start = data.draw(st.integers(0, len(event)))
    end = data.draw(st.integers(start, min(len(event), start + 40)))
    damaged = event[:start] + data.draw(st.binary(max_size=6)) + event[end:]
    assert named(read(damaged, RULES, NOW)) <= named(read(event, RULES, NOW)) | ids_in(damaged)


@given(st.sampled_from(sorted(PLAIN)), st.data())
@examples(400)
def test_changed_samples_name_only_ids_that_are_there(name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(PLAIN[name])))
    event = changed(PLAIN[name], path, data.draw(st.just(...) | json_values))
    text = json.dumps(event)
    assert named(read(text.encode(), RULES, NOW)) <= set(IDS.findall(text))


@given(st.sampled_from(sorted(FIRING)), st.data())
@examples(200)
def test_a_cut_event_never_reboots(name: str, data: st.DataObject) -> None:
    # A form may lose fields at its end and still be whole, so only JSON is cut: there the last brace is missing.
    event = FIRING[name].rstrip()
    if event[:1] in (b"{", b"["):
        assert not read(event[: data.draw(st.integers(0, len(event) - 1))], RULES, NOW).requests


def element_states(event: object) -> list[tuple[Any, ...]]:
    return [
        path
        for path in places(event)
        if path[-1] in STATE_FIELDS
        # Block storage's events have a name under this key.
        and not (path[-1] == "eventName" and "data" in path)
        # A group's own status is not a state of its elements, and Alertmanager's groups say theirs on top.
        and not (isinstance(event, dict) and "alerts" in event and len(path) == 1)
        and not {"metricData", "escalation", "annotations", "labels"} & set(path[:-1])
    ]


@given(st.sampled_from(sorted(PLAIN)), st.sampled_from(sorted(RECOVERY)), st.data())
@examples(300)
def test_a_word_of_recovery_in_any_state_field_ends_it(name: str, word: str, data: st.DataObject) -> None:
    states = element_states(PLAIN[name])
    if not states or name in MIXED:
        return
    path = data.draw(st.sampled_from(states))
    spelt = data.draw(st.sampled_from([word, word.upper(), word.capitalize(), f" {word} "]))
    assert not read(json.dumps(changed(PLAIN[name], path, spelt)).encode(), RULES, NOW).requests


# Two elements, one of them over already: the word would fall on that one as well.
MIXED = {"49-sls-webhook-mixed-batch-rebuilt.json", "50-arms-alertmanager-mixed-group-rebuilt.json"}


def without(value: Any, fields: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(child, fields) for key, child in value.items() if key not in fields}
    return [without(child, fields) for child in value] if isinstance(value, list) else value


def test_without_a_state_nothing_fires() -> None:
    for name, event in PLAIN.items():
        bare = without(event, STATE_FIELDS | {"endsAt"})
        # The name of a system event is a state field too where it ends in one.
        text = re.sub(r":(Scheduled|Executing)|_Stopped", "", json.dumps(bare))
        assert not read(text.encode(), RULES, NOW).requests, name
