"""Settings in the console: secrets never leave it, wrong ones change nothing, and an event runs again under others."""

import json
from typing import Any

import pytest
from console_client import DB_01, WEB_01, Client, codes, cpu_alarm, first_message

from localcloud.server.server import Running


def fields(message: Any) -> list[Any]:
    return [field for group in message["settings"]["groups"] for field in group["fields"]]


def test_secrets_are_never_told(where: Running, client: Client) -> None:
    secrets = ("demo-token", "much-more-secret", where.cloud.credentials.root.access_key_secret)
    values = {field["name"]: field["value"] for field in fields(first_message(where))}
    assert values["WEBHOOK_TOKEN"] == ""
    answer = client("POST", "/console/api/settings", {"values": {**values, "WEBHOOK_TOKEN": secrets[1]}, "apply": True})
    assert answer.json == {"mistakes": []}
    number = client.send(cpu_alarm(DB_01))
    client.finished(number)
    told = json.dumps(first_message(where)) + json.dumps(client.story(number))
    assert not any(secret in told for secret in secrets)
    shown = fields(first_message(where))
    assert {field["name"]: field["set"] for field in shown if field["secret"]} == {
        "WEBHOOK_TOKEN": True, "NOTIFY": True, "NOTIFY_SECRET": False,
    }  # fmt: skip


def test_wrong_settings_are_told_and_not_applied(where: Running, client: Client) -> None:
    wrong = {
        "MAX_ATTEMPTS": "many",
        "FORCE_REBOT": "always",
        "ECS_ENDPOINT": "http://evil.example",
        "PAUSED": "x" * 5000,
    }
    answer = client("POST", "/console/api/settings", {"values": wrong, "apply": True}).json
    assert {"MAX_ATTEMPTS", "FORCE_REBOT", "ECS_ENDPOINT"} == {mistake["variable"] for mistake in answer["mistakes"]}
    (too_long,) = client("POST", "/console/api/settings", {"values": {"PAUSED": "x" * 5000}, "apply": True}).json[
        "mistakes"
    ]
    assert "4096" in too_long["remedy"]
    set_now = {field["name"] for field in fields(first_message(where)) if field["set"]}
    own = {"MAX_EVENT_AGE_SECONDS", "WEBHOOK_TOKEN", "VERIFY_SECONDS", "NOTIFY"}
    assert set_now == own | {"LEDGER", "TABLESTORE_INSTANCE"}


def test_settings_hold_for_the_next_event(client: Client) -> None:
    values = {"PAUSED": "exams", "MAX_EVENT_AGE_SECONDS": "0", "VERIFY_SECONDS": "0"}
    assert client("POST", "/console/api/settings", {"values": values, "apply": True}).json == {"mistakes": []}
    assert codes(client.finished(client.send(cpu_alarm(WEB_01)))) == ["paused"]


def test_an_event_runs_again_with_settings_that_hold_for_it_alone(client: Client) -> None:
    number = client.send(cpu_alarm(WEB_01))
    client.finished(number)
    again = client("POST", "/console/api/again", {"number": number, "settings": {"PAUSED": "exams"}}).json["number"]
    story = client.finished(again)
    assert codes(story) == ["paused"]
    assert (story["again_of"], story["settings"]) == (number, {"PAUSED": "exams"})
    same = client.finished(client("POST", "/console/api/again", {"number": again}).json["number"])
    assert codes(same) == ["paused"]
    assert codes(client.finished(client.send(cpu_alarm(WEB_01)))) == ["recently_started"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"number": 999}, 404),
        ({"number": "1"}, 404),
        ({"number": 1, "settings": "PAUSED"}, 400),
        ({"number": 1, "settings": {"PAUSED": 1}}, 400),
    ],
)
def test_what_cannot_run_again_is_refused(client: Client, asked: Any, status: int) -> None:
    client.send(cpu_alarm(DB_01))
    assert client("POST", "/console/api/again", asked).status == status


def test_wrong_settings_run_nothing_again(where: Running, client: Client) -> None:
    client.finished(client.send(cpu_alarm(DB_01)))
    calls = len(where.cloud.audit.calls())
    wrong = {"MAX_ATTEMPTS": "many", "ECS_ENDPOINT": "http://evil.example"}
    answer = client("POST", "/console/api/again", {"number": 1, "settings": wrong}).json
    assert {mistake["variable"] for mistake in answer["mistakes"]} == set(wrong)
    assert "number" not in answer
    assert len(where.cloud.audit.calls()) == calls
