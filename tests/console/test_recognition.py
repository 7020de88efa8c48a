from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import samples
from console.recognition import MOST_ELEMENTS, recognised
from ecs_reboot import events
from ecs_reboot.events.assessment import Verdict
from ecs_reboot.settings.settings import load

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
RULES = load({"MAX_EVENT_AGE_SECONDS": "0", "WEBHOOK_TOKEN": "demo-token", "DEFAULT_REGION": "cn-hangzhou"}).reading
EVENTS = sorted(Path(samples.FOLDERS["events"]).glob("*.[jt][sx]*"))


def read(name: str) -> Any:
    return recognised((samples.FOLDERS["events"] / name).read_bytes(), RULES, NOW)


def fields(told: Any, role: str) -> list[tuple[str, str]]:
    return [(field["path"], field["value"]) for field in told["fields"] if field["role"] == role]


def test_an_alarm_field_by_field() -> None:
    told = read("alarm-firing.form.txt")
    assert fields(told, "instance") == [("dimensions.instanceId", "i-bp1a2b3c4d5e6f7g8h9i")]
    assert fields(told, "state_firing") == [("alertState", "ALERT"), ("triggerLevel", "CRITICAL")]
    assert fields(told, "region") == [("regionId", "cn-hangzhou")]
    assert [element["verdict"] for element in told["elements"]] == ["rebootrequest"]


def test_envelopes_are_named() -> None:
    assert [value for _, value in fields(read("http-alarm-firing.json"), "envelope")] == ["http"]


def test_an_http_event_without_its_token_is_not_looked_into() -> None:
    told = read("http-without-token.json")
    assert not fields(told, "instance")
    assert fields(told, "unreadable")


@pytest.mark.parametrize("file", EVENTS, ids=lambda file: file.name)
def test_it_says_what_the_function_reads(file: Path) -> None:
    event = file.read_bytes()
    reading = events.read(event, RULES, NOW)
    told = recognised(event, RULES, NOW)
    assert told["trigger"] == reading.trigger
    named = {target.instance_id for request in reading.requests for target in request.targets}
    assert named <= {value for _, value in fields(told, "instance")}
    assert told["count"] == len(reading.requests + reading.ignored + reading.rejected + reading.upkeep)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_told_about(event: bytes) -> None:
    told = recognised(event, RULES, NOW)
    assert told["count"] == len(told["elements"]) or len(told["elements"]) == MOST_ELEMENTS


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_kind_of_verdict_has_a_name_on_the_page(language: str) -> None:
    assets = resources.files("console") / "assets"
    words = (assets / f"messages.{language}.js").read_text("utf-8")
    kinds = [kind.__name__.lower() for kind in get_args(Verdict)]
    assert len(kinds) == 4
    assert [kind for kind in kinds if f"verdict_{kind}: " not in words] == []
