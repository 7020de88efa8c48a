"""The console's addresses, called as a browser, another site's page and a hostile client would call them."""

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from console_client import DB_01, WEB_01, Client, codes, cpu_alarm, first_message, wait_for

from console.function_pool import MOST
from console.records import FoundRecords, everything
from console.service import MOST_EVENT_BYTES
from ecs_reboot.outcomes import OUTCOMES
from ecs_reboot.policy.guards import GUARDS
from localcloud.commands.rendered_template import deployment
from localcloud.server.server import Running
from localcloud.sls.store import LogEntry, LogStores
from review.exported import read

JSON = {"content_type": "application/json"}


def test_the_page_and_all_it_loads_come_with_a_strict_policy(client: Client) -> None:
    page = client("GET", "/console/")
    assert page.status == 200
    assert b"<script>" not in page.body
    assert b"style=" not in page.body
    assert b"http" not in page.body.replace(b"http-equiv", b"")
    for path in ("/console/", "/console/main.js", "/console/api/samples", "/console/nothing"):
        headers = client("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/console/../server.py", "/console/%2e%2e/service.py", "/console/assets/main.js", "/console//etc/passwd",
     "/console/api/sample?folder=events&name=../Makefile", "/console/api/sample?folder=..&name=Makefile",
     "/console/api/event?number=1e3", "/console/api/event?number=99999999999999999999"],
)  # fmt: skip
def test_nothing_but_its_own_files_is_served(client: Client, path: str) -> None:
    assert client("GET", path).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_sites_are_refused(where: Running, client: Client, headers: dict[str, str]) -> None:
    for method, path, body in (
        ("GET", "/console/", None),
        ("GET", "/console/api/records", None),
        ("POST", "/console/api/events", {"title": "t", "event": cpu_alarm(WEB_01)}),
        ("POST", "/console/api/switches", {"name": "sls_down", "on": True}),
    ):
        assert client(method, path, body, **headers).status == 403
    assert not where.cloud.audit.calls()
    assert not where.cloud.faults.describe()


def test_a_form_of_any_site_is_no_request(client: Client) -> None:
    body = json.dumps({"title": "t", "event": "x"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client("POST", "/console/api/events", body, content_type=kind).status == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"title": "t"}', 400),
        (b'{"title": "t", "event": 5}', 400),
        (b"[" * 100_000, 400),
        (json.dumps({"title": "t", "event": "x" * (MOST_EVENT_BYTES + 1)}).encode(), 413),
        (b" " * (5 * MOST_EVENT_BYTES), 413),
    ],
)
def test_what_is_no_request_is_refused_with_a_reason(client: Client, body: bytes, status: int) -> None:
    answer = client("POST", "/console/api/events", body, **JSON)
    assert answer.status == status
    assert answer.json["error"]


def test_an_event_goes_from_bytes_to_records(where: Running, client: Client) -> None:
    story = client.finished(client.send(cpu_alarm(WEB_01)))
    assert codes(story) == ["recovered"]
    actions = [call["action"] for call in story["calls"]]
    assert actions[0] == "DescribeInstances"
    assert actions.index("PutRow") < actions.index("RebootInstances"), "the claim stands in the table first"
    assert [(change["from"], change["to"]) for change in story["changes"]] == [
        ("Running", "Stopping"), ("Stopping", "Starting"), ("Starting", "Running")]  # fmt: skip
    rows = story["guards"][0]["rows"]
    assert [(row["code"], row["kind"], row["reads"]) for row in rows] == [guard[:3] for guard in GUARDS]
    assert all(row["outcome"] == "passed" and row["fact"] and not row["objection"] for row in rows)
    offsets = [call["at_ms"] for call in story["calls"]]
    assert offsets == sorted(offsets)
    assert 0 <= story["started_ms"] <= offsets[0] <= story["finished_ms"]
    assert story["log_store"] == {"status": "written", "written": 4, "logstore": "ecs-reboot/records"}
    assert where.cloud.fleet[WEB_01].status == "Running"


def test_a_refusal_shows_what_was_asked_and_what_was_not(client: Client) -> None:
    rows = {row["code"]: row for row in client.finished(client.send(cpu_alarm(DB_01)))["guards"][0]["rows"]}
    assert "security" in rows["locked"]["objection"]
    assert rows["locked"]["fact"] == "OperationLocks: security"
    outcomes = [row["outcome"] for row in rows.values()]
    assert outcomes == ["passed", "passed", "failed"] + ["not_reached"] * (len(GUARDS) - 3)


def test_the_guard_table_is_there_while_the_function_still_watches(client: Client) -> None:
    number = client.send(cpu_alarm(WEB_01))
    early = wait_for(lambda: story if (story := client.story(number))["guards"] else None)
    assert early["status"] == "running"
    assert early["guards"][0]["code"] == "accepted"


def test_without_a_log_store_no_record_is_lost(client: Client) -> None:
    client("POST", "/console/api/switches", {"name": "sls_down", "on": True})
    story = client.finished(client.send(cpu_alarm(DB_01)))
    assert codes(story) == ["locked"]
    assert story["log_store"]["status"] == "failed"
    found = client("GET", "/console/api/records?query=locked").json
    assert (found["count"], found["not_stored"]) == (1, 1)
    client("POST", "/console/api/switches", {"name": "sls_down", "on": False})
    client.finished(client.send(cpu_alarm(DB_01)))
    found = client("GET", "/console/api/records?query=locked").json
    assert [record["stored"] for record in found["records"]] == [True, False]


def test_a_dry_run_reboots_nothing(where: Running, client: Client) -> None:
    story = client.finished(client.send(cpu_alarm(WEB_01), dry_run=True))
    assert codes(story) == ["DRYRUN.SUCCESS"]
    assert not where.cloud.audit.changes()


def test_through_the_http_trigger_with_the_token_in_force(client: Client) -> None:
    story = client.finished(client.send(cpu_alarm(DB_01), delivery="http"))
    assert story["reading"]["trigger"] == "http>cms_threshold"
    assert codes(story) == ["locked"]


def test_calls_of_events_at_once_are_told_apart(client: Client) -> None:
    numbers = client("POST", "/console/api/storm", {"count": 8}).json["numbers"]
    stories = [client.finished(number) for number in numbers]
    for story in stories:
        (instance_id,) = story["reading"]["elements"][0]["instance_ids"]
        described = [json.loads(call["parameters"]["InstanceIds"]) for call in story["calls"]
                     if "InstanceIds" in call["parameters"]]  # fmt: skip
        assert described
        assert all(ids == [instance_id] for ids in described)
        if story["tally"] == {"skip": 1}:  # looked at, and perhaps once more: no refusal reads the region
            assert sum(call["action"] == "DescribeInstances" for call in story["calls"]) <= 2
        assert {record["instance_id"] for record in story["records"]} == {instance_id}


BARRIER = """
import pathlib, time
def initialize(context):
    pass
def handle(event, context):
    here = pathlib.Path({here!r})
    (here / context.request_id).touch()
    end = time.monotonic() + 60
    while len(list(here.iterdir())) < {others}:
        if time.monotonic() > end:
            raise RuntimeError("alone")
        time.sleep(0.01)
    return {{}}
"""


def test_a_storm_runs_on_as_many_instances_at_once_as_the_template_reserves(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody of the first ones returns before all of them run: where one waits for another, all fail."""
    assert deployment("1234567890123456", {}).reserved == MOST
    meet, code = tmp_path / "meet", tmp_path / "code"
    meet.mkdir()
    code.mkdir()
    (code / "index.py").write_text(BARRIER.format(here=str(meet), others=MOST), "utf-8")
    monkeypatch.setenv("CODE", str(code))
    numbers = client("POST", "/console/api/storm", {"count": MOST + 2}).json["numbers"]
    assert [client.finished(number)["status"] for number in numbers] == ["returned"] * (MOST + 2)


@pytest.mark.parametrize("count", [0, 501, "5", 1.5, None])
def test_a_storm_has_its_limits(client: Client, count: Any) -> None:
    assert client("POST", "/console/api/storm", {"count": count}).status == 400


@pytest.mark.parametrize(
    ("settings", "store"),
    [
        ({}, "tags"),
        ({"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb"}, "tablestore"),
        ({"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "MODE": "observe"}, "tablestore"),
    ],
    ids=["tags", "table", "observed"],
)
def test_the_ledger_of_either_store_is_shown_and_counted(
    where: Running, client: Client, settings: dict[str, str], store: str
) -> None:
    values = {**settings, "MAX_EVENT_AGE_SECONDS": "0"}
    assert client("POST", "/console/api/settings", {"values": values, "apply": True}).json == {"mistakes": []}
    assert client("GET", "/console/api/ledger").json == {"store": store, "rows": []}
    client.finished(client.send(cpu_alarm(WEB_01)))
    (row,) = client("GET", "/console/api/ledger").json["rows"]
    assert (row["instance_id"], row["region"], len(row["attempts"])) == (WEB_01, "cn-hangzhou", 1)
    assert row["state"] != "unreadable"
    standing = first_message(where)["standing"]
    assert [(region["region"], region["rebooted"]) for region in standing["regions"]] == [
        ("cn-hangzhou", 1),
        ("cn-beijing", 0),
    ]
    assert standing["observe"] is ("MODE" in settings)
    assert bool(where.cloud.audit.calls("RebootInstances")) is not standing["observe"]


def test_a_ledger_whose_table_is_not_there_is_not_said_to_be_empty(where: Running, client: Client) -> None:
    values = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-reboot"}
    assert client("POST", "/console/api/settings", {"values": values, "apply": True}).json == {"mistakes": []}
    assert client("GET", "/console/api/ledger").json == {"store": "missing", "rows": []}
    assert first_message(where)["standing"]["regions"] == []


def test_the_words_of_every_code_are_served_in_both_languages(client: Client) -> None:
    words = client("GET", "/console/api/outcomes").json
    assert words.keys() == {outcome.code for outcome in OUTCOMES}
    assert words["locked"]["zh-CN"] == "实例被锁定"
    assert all(word["en"] and word["zh-CN"] for word in words.values())


def test_a_switch_stays_as_it_was_put(client: Client) -> None:
    for on in (True, True, False, False):
        state = client("POST", "/console/api/switches", {"name": "throttle", "on": on}).json
        assert [switch["on"] for switch in state["switches"] if switch["name"] == "throttle"] == [on]
    assert client("GET", "/_local/faults").json == []
    assert client("POST", "/console/api/switches", {"name": "no such", "on": True}).status == 404


def test_a_held_back_answer_loses_no_state_change(client: Client) -> None:
    client("POST", "/console/api/switches", {"name": "delay", "on": True})
    story = client.finished(client.send(cpu_alarm(WEB_01)))
    changes = wait_for(lambda: found if len(found := client.story(story["number"])["changes"]) == 3 else None)
    assert [change["to"] for change in changes] == ["Stopping", "Starting", "Running"]


def test_each_switch_leaves_a_record_of_what_it_did(client: Client) -> None:
    client("POST", "/console/api/switches", {"name": "drop_after", "on": True})
    story = client.finished(client.send(cpu_alarm(WEB_01)))
    assert any(call["faults"] == ["drop_after"] and call["http_status"] is None for call in story["calls"])
    assert [call["action"] for call in story["calls"]].count("RebootInstances") == 1
    assert codes(story)


def test_records_are_searched_as_the_log_service_does_and_exported_whole(client: Client) -> None:
    client.finished(client.send(cpu_alarm(DB_01)))
    client.finished(client.send("nonsense"))
    assert client("GET", "/console/api/records?query=code:%20locked").json["count"] == 1
    assert client("GET", "/console/api/records?query=not%20code:%20locked").json["count"] == 1
    refused = client("GET", "/console/api/records?query=%7C%20select%201")
    assert refused.status == 400
    assert "|" in refused.json["error"]
    exported = client("GET", "/console/api/records.jsonl?query=")
    lines = [json.loads(line) for line in exported.body.splitlines()]
    assert lines[0]["code"] == "locked"
    assert lines[0]["facts"]["instance"]["operation_locks"] == ["security"]
    export = read(exported.body.decode())
    assert not export.complaints
    assert [record.result.code for record in export.records] == [line["code"] for line in lines]
    assert "attachment" in exported.headers["content-disposition"]


def test_records_that_only_the_log_store_has_are_shown_as_they_were_written(client: Client) -> None:
    client.finished(client.send(cpu_alarm(DB_01)))
    record = client("GET", "/console/api/records.jsonl").json
    fields = {key: value if isinstance(value, str) else json.dumps(value) for key, value in record.items()}
    stores = LogStores({"ecs-reboot": ("records",)})
    now = datetime.now(timezone.utc)
    stores.logstore("ecs-reboot", "records").append(LogEntry(now, 0, 0, {**fields, "__topic__": "ecs-reboot"}))
    assert list(everything(stores, [])) == [FoundRecords(record, stored=True)]


def test_a_reset_forgets_the_events(client: Client) -> None:
    number = client.send(cpu_alarm(DB_01))
    client.finished(number)
    client("POST", "/_local/reset")
    assert client("GET", f"/console/api/event?number={number}").status == 404
    assert client("GET", "/console/api/records").json["count"] == 0
    assert client.send(cpu_alarm(DB_01)) > number


def test_live_tells_changes_and_begins_again_after_a_reset(where: Running, client: Client) -> None:
    connection = HTTPConnection(where.host_port, timeout=20)
    connection.request("GET", "/console/api/live")
    stream = connection.getresponse()
    kinds: list[Any] = []

    def read() -> None:
        while len([message for message in kinds if message["kind"] == "everything"]) < 2:
            line = stream.readline()
            if line.startswith(b"data: "):
                kinds.append(json.loads(line[6:]))

    reader = threading.Thread(target=read)
    reader.start()
    client.finished(client.send(cpu_alarm(WEB_01)))
    client("POST", "/_local/reset")
    reader.join(20)
    connection.close()
    assert not reader.is_alive()
    statuses = [
        shown["status"] for message in kinds[1:-1] for shown in message.get("instances", ()) if shown["id"] == WEB_01
    ]
    assert "Stopping" in statuses
    assert statuses[-1] == "Running"
    assert kinds[-1]["invocations"] == []


def test_half_a_surrogate_pair_breaks_nothing(client: Client) -> None:
    number = client.send('{"alertName": "\\ud800", "x": "' + "\ud800" + '"}')
    story = client.finished(number)
    assert story["event"].endswith('\ud800"}')
    assert client("GET", "/console/api/records").status == 200


def test_serve_says_where_the_console_is_and_ends_with_open_pages_and_busy_functions() -> None:
    with subprocess.Popen([sys.executable, "-m", "cli", "serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        where = json.loads(process.stdout.readline())
        assert where["console"] == f"{where['ecs']}/console/"
        host_port = where["ecs"].removeprefix("http://")
        connection = HTTPConnection(host_port, timeout=10)
        connection.request("GET", "/console/api/live")
        connection.getresponse().readline()
        sender = HTTPConnection(host_port, timeout=10)
        body = json.dumps({"title": "t", "event": cpu_alarm(WEB_01)})
        sender.request("POST", "/console/api/events", body, {"content-type": "application/json"})
        assert sender.getresponse().status == 202
        sender.close()
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        connection.close()


def test_the_story_names_the_evidence_and_the_console_shows_it(client: Client) -> None:
    settings = {"EVIDENCE": "full", "GRACE_SECONDS": "0", "MAX_EVENT_AGE_SECONDS": "0"}
    assert client("POST", "/console/api/settings", {"values": settings, "apply": True}).status == 200
    told = client.finished(client.send(json.dumps({"instance_ids": [WEB_01], "region_id": "cn-hangzhou"})))
    (of_instance,) = told["exhibits"]
    assert [exhibit["name"] for exhibit in of_instance["exhibits"]] == ["console", "screen", "state"]
    for exhibit, kind in zip(of_instance["exhibits"], ("text/plain", "image/png", "application/json"), strict=True):
        shown = client("GET", f"/console/api/exhibit?key={exhibit['key']}")
        assert (shown.status, shown.headers["content-type"].partition(";")[0]) == (200, kind)
        assert hashlib.sha256(shown.body).hexdigest() == exhibit["sha256"]
    assert client("GET", "/console/api/exhibit?key=../secrets").status == 404
