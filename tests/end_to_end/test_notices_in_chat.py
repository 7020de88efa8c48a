"""Notices over real HTTP to the chat services: told, refused inside HTTP 200, slow; and never in a reboot's way."""

import json
import urllib.request
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from staging import Stage, Staged, instances, records

from localcloud.functioncompute.instance import FunctionInstance
from localcloud.functioncompute.invocation import Invocation

ONE, TWO = "i-bp1test0000000000000", "i-bp1test0000000000001"
SECRETS = {"dingtalk": "SECding-0123456789", "feishu": "feishu-0123456789", "webhook": "bearer-0123456789"}
Chatting = Callable[..., Stage]
TOKENS = {service: f"{service}-token-abcdef" for service in ("dingtalk", "feishu", "wecom", "slack", "webhook")}
PATHS = {
    "dingtalk": "robot/send?access_token={}",
    "feishu": "open-apis/bot/v2/hook/{}",
    "wecom": "cgi-bin/webhook/send?key={}",
    "slack": "services/T0/B0/{}",
    "webhook": "{}",
}
SIGNED = " ".join(f"{service}={secret}" for service, secret in SECRETS.items())


def at(here: Stage, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{here.server.admin}{path}", data, timeout=10) as answer:  # noqa: S310 - our own
        return json.load(answer)


def chat_of(here: Stage) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = at(here, "/chat")["messages"]
    return messages


@pytest.fixture
def chatting(stage: Staged) -> Chatting:
    """Set up a stage whose function tells the named services; each has its robot, with its secret and keyword."""

    def set_up(
        services: tuple[str, ...] = ("dingtalk",),
        declared: list[dict[str, Any]] | None = None,
        keyword: str = "ecs-reboot",
        **settings: str,
    ) -> Stage:
        def notify(url: str) -> dict[str, str]:
            named = [f"{name}={url}/_chat/{name}/{PATHS[name].format(TOKENS[name])}" for name in services]
            return {"NOTIFY": " ".join(named), "NOTIFY_SECRET": SIGNED}

        here = stage(instances(2, reboot_seconds=1) if declared is None else declared, wiring=notify, **settings)
        for service in services:
            robot = {"service": service, "token": TOKENS[service], "keyword": keyword}
            assert at(here, "/chat", {**robot, "secret": SECRETS.get(service, "")}) == {"status": "declared"}
        return here

    return set_up


def ask(*instance_ids: str, **more: Any) -> dict[str, Any]:
    return {"instance_ids": list(instance_ids), "region_id": "cn-hangzhou", **more}


def sweep(here: Stage) -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    payload = json.dumps({"verify": True, "region_id": "cn-hangzhou"})
    return here.send({"triggerTime": now, "triggerName": "sweep", "payload": payload})


def test_every_service_hears_of_the_reboot_and_of_its_end(chatting: Chatting) -> None:
    here = chatting(tuple(PATHS), VERIFY_SECONDS="10")
    answer = here.send(ask(ONE))
    assert answer["results"][0]["code"] == "recovered"
    assert answer["notices"] == {"status": "told", "told": 10}
    for service in PATHS:
        first, second = [message for message in chat_of(here) if message["service"] == service]
        assert "is being rebooted" in first["title"] + first["text"]
        assert " came back in " in second["title"] + second["text"]


def test_in_chinese(chatting: Chatting) -> None:
    here = chatting(("feishu",), VERIFY_SECONDS="10", NOTIFY_LANGUAGE="zh")
    here.send(ask(ONE))
    assert [message["title"].partition("] ")[2].partition(" ")[2][:4] for message in chat_of(here)] == [
        "正在重启",
        "已恢复，",
    ]


def test_a_message_leads_to_the_records(chatting: Chatting) -> None:
    here = chatting(("feishu",))
    here.send(ask(ONE))
    link = chat_of(here)[0]["link"]
    assert link.startswith("https://sls.console.aliyun.com/lognext/project/ecs-reboot/logsearch/records?")


def test_a_reboot_that_does_not_come_back_is_told_by_the_run_that_watches_it(chatting: Chatting) -> None:
    fleet = instances(1, reboot_seconds=0.2, stays_down=True)
    here = chatting(("dingtalk",), fleet, VERIFY_SECONDS="3")
    assert here.send(ask(ONE))["results"][0]["code"] == "stayed_down"
    assert "did not come back" in chat_of(here)[-1]["title"]


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"status": "Stopping", "hangs": True, "attempts": [{"ago": "25m", "state": "accepted"}]}, "hung"),
        (
            {
                "start_time": "9m ago",
                "attempts": [{"ago": "10m", "state": "accepted"}],
                "agent": {"silent_since": "20m ago", "stays_silent": True},
            },
            "running_silent",
        ),
    ],
)
def test_a_sweep_tells_once_what_nobody_watched_to_its_bad_end(
    chatting: Chatting, declared: dict[str, Any], code: str
) -> None:
    here = chatting(("dingtalk",), instances(1, **declared))
    assert [result["code"] for result in sweep(here)["results"]] == [code]
    (message,) = chat_of(here)
    assert "did not come back" in message["title"]
    assert sweep(here)["notices"]["told"] == 0


def test_a_refusal_that_needs_a_person_is_told_once_and_others_not_at_all(chatting: Chatting) -> None:
    settings = {"MAX_ATTEMPTS": "1", "COOLDOWN_SECONDS": "0", "GRACE_SECONDS": "0", "MAX_REBOOTS": "off"}
    here = chatting(("dingtalk",), instances(1, reboot_seconds=0.1), VERIFY_SECONDS="5", **settings)
    assert here.send(ask(ONE))["results"][0]["code"] == "recovered"
    before = len(chat_of(here))
    answers = [here.send(ask(ONE)) for _ in range(3)]
    assert [answer["results"][0]["code"] for answer in answers] == ["attempts_exhausted"] * 3
    assert [answer["notices"]["told"] for answer in answers] == [1, 0, 0]
    here.send(ask("i-bp1doesnotexist0000000"))
    assert len(chat_of(here)) == before + 1
    assert "it needs you" in chat_of(here)[-1]["title"]


def test_without_notify_nobody_is_told(stage: Staged) -> None:
    here = stage(instances(1))
    assert here.send(ask(ONE))["notices"] == {"status": "off", "told": 0}
    assert here.cloud.audit.calls(service="chat") == ()


def test_what_is_handed_over_is_told_by_the_run_that_carries_it_out(chatting: Chatting) -> None:
    here = chatting(HANDOVER="on", WEBHOOK_TOKEN="demo-token")
    later: list[Invocation] = []
    here.server.functions.register(here.instance.function, logged=later.append)
    event = {
        "version": "v1",
        "rawPath": "/",
        "body": json.dumps(ask(ONE)),
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json"},
        "queryParameters": {"token": "demo-token"},
        "requestContext": {"http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}},
    }
    answer = json.loads(here.send(event)["body"])
    assert (answer["status"], answer["notices"]) == ("handed_over", {"status": "handed_over", "told": 0})
    assert here.server.functions.wait_until_idle(60)
    assert [json.loads(run.payload)["notices"] for run in later] == [{"status": "told", "told": 1}]
    assert len(chat_of(here)) == 1


REFUSALS = [
    ("dingtalk", {"keyword": "another word"}, "310000: keywords not in content"),
    ("feishu", {"keyword": "another word"}, "19024: Key Words Not Found"),
    ("dingtalk", {"secret": "SECanother"}, "310000: sign not match"),
    ("feishu", {"secret": "another"}, "19021: sign match fail or timestamp is not within one hour from current time"),
    ("webhook", {"secret": "another"}, "HTTP 401: who are you?"),
]


@pytest.mark.parametrize(("service", "changed", "reason"), REFUSALS)
def test_a_refusal_inside_http_200_is_in_the_answer_and_the_record(
    chatting: Chatting, service: str, changed: dict[str, str], reason: str
) -> None:
    here = chatting((service,))
    robot = {"service": service, "token": TOKENS[service], "secret": SECRETS[service], **changed}
    at(here, "/chat", robot)
    invocation = here.instance.invoke(json.dumps(ask(ONE)).encode())
    answer = json.loads(invocation.payload)
    assert answer["results"][0]["code"] == "accepted", "a notice that fails changes nothing else"
    assert answer["notices"]["status"] == "failed"
    assert answer["notices"]["failed"][0]["reason"] == reason
    noted = [record for record in records(invocation.logs) if record["record"] == "notice"]
    assert [(record["code"], record["reason"]) for record in noted] == [("notice_failed", f"{service}: {reason}")]
    assert chat_of(here) == []


@pytest.mark.parametrize("service", list(PATHS))
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "not_json", "throttle", "error"])
def test_no_address_and_no_secret_is_in_any_output_whatever_goes_wrong(
    chatting: Chatting, service: str, kind: str
) -> None:
    here = chatting((service,))
    fault: dict[str, Any] = {"service": "chat", "action": service, "kind": kind}
    if kind == "error":
        fault |= {"status": 500, "message": f"no route to {PATHS[service].format(TOKENS[service])} {SIGNED}"}
    at(here, "/faults", fault)
    invocation = here.instance.invoke(json.dumps(ask(ONE)).encode())
    assert json.loads(invocation.payload)["notices"]["status"] == "failed"
    output = invocation.payload.decode() + invocation.logs.decode() + json.dumps(here.cloud.audit.entries())
    assert TOKENS[service] not in output
    assert SECRETS.get(service, "no secret") not in output


def test_a_slow_chat_service_delays_no_reboot(chatting: Chatting) -> None:
    here = chatting(("dingtalk", "slack"), instances(2, reboot_seconds=1), VERIFY_SECONDS="10")
    at(here, "/faults", {"service": "chat", "action": "dingtalk", "kind": "delay", "seconds": 20})
    answer = here.send(ask(ONE))
    assert answer["results"][0]["code"] == "recovered"
    order = [entry["action"] for entry in here.cloud.audit.entries() if entry["kind"] == "api"]
    assert order.index("RebootInstances") < min(order.index(name) for name in ("slack", "dingtalk") if name in order)
    assert {notice["service"] for notice in answer["notices"]["failed"]} == {"dingtalk"}
    assert answer["notices"]["told"] == 2, "Slack heard of both"
    assert answer["log_store"]["status"] == "written"


def decisions(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(result["instance_id"], result["code"]) for result in answer["results"]]


@pytest.mark.parametrize("kind", ["drop_before", "delay", "not_json", "throttle"])
def test_no_notice_changes_a_decision(stage: Staged, chatting: Chatting, kind: str) -> None:
    fleet = instances(3, reboot_seconds=600)
    events = [ask(ONE), ask(ONE), ask(TWO), ask(ONE, TWO)]
    plain = stage(fleet, MAX_REBOOTS="1")
    quiet = [decisions(plain.send(event)) for event in events]
    here = chatting(("dingtalk", "webhook"), fleet, MAX_REBOOTS="1")
    more = {"seconds": 20} if kind == "delay" else {}
    at(here, "/faults", {"service": "chat", "action": "*", "kind": kind, **more})
    assert [decisions(here.send(event)) for event in events] == quiet
    assert here.rebooted() == plain.rebooted() == [ONE]
    calls = [[entry["action"] for entry in staged.cloud.audit.calls()] for staged in (plain, here)]
    assert calls[0] == calls[1]


def test_what_failed_is_told_late_by_the_sweep_as_one_message(chatting: Chatting) -> None:
    here = chatting(("slack",), VERIFY_SECONDS="10")
    at(here, "/faults", {"service": "chat", "action": "slack", "kind": "error", "status": 503, "times": 2})
    assert here.send(ask(ONE))["notices"]["status"] == "failed"
    assert chat_of(here) == []
    assert sweep(here)["notices"] == {"status": "told", "told": 1}
    (message,) = chat_of(here)
    assert "2 earlier notices, told late" in message["title"]
    assert "came back in" in message["text"]
    assert sweep(here)["notices"]["told"] == 0


def test_instances_share_what_they_remember_where_there_is_a_table(chatting: Chatting) -> None:
    table = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger"}
    settings = {"MAX_ATTEMPTS": "1", "COOLDOWN_SECONDS": "0", "GRACE_SECONDS": "0", "MAX_REBOOTS": "off", **table}
    here = chatting(("slack",), instances(1, reboot_seconds=0.1), VERIFY_SECONDS="10", **settings)
    with FunctionInstance(here.instance.function) as instance:
        other = here._replace(instance=instance)
        at(here, "/faults", {"service": "chat", "action": "slack", "kind": "error", "status": 503, "times": 2})
        assert here.send(ask(ONE))["notices"]["status"] == "failed"
        here.instance.close()
        assert chat_of(here) == []
        answer = sweep(other)
        assert answer["notices"] == {"status": "told", "told": 1}
        (message,) = chat_of(here)
        assert "2 earlier notices, told late" in message["title"]
        assert sweep(other)["notices"]["told"] == 0
        assert other.send(ask(ONE))["notices"]["told"] == 1, "it needs a person"
    with FunctionInstance(here.instance.function) as instance:
        third = here._replace(instance=instance)
        assert [result["code"] for result in third.send(ask(ONE))["results"]] == ["attempts_exhausted"]
        assert len(chat_of(here)) == 2, "the same fault is reported once"


def test_more_than_twenty_a_minute_never_reach_dingtalk_which_would_block_the_robot(chatting: Chatting) -> None:
    fleet = instances(24, reboot_seconds=0.1)
    here = chatting(("dingtalk",), fleet, MAX_REBOOTS="off")
    answers = [here.send(ask(spec["instance_id"])) for spec in fleet]
    assert {answer["results"][0]["code"] for answer in answers} == {"accepted"}
    posts = here.cloud.audit.calls(service="chat")
    assert len(posts) == 20
    assert {entry["code"] for entry in posts} == {""}
    assert answers[-1]["notices"]["failed"][0]["reason"].startswith("20 messages a minute")


def test_a_batch_is_one_message(chatting: Chatting) -> None:
    fleet = instances(24, reboot_seconds=0.1)
    here = chatting(("wecom",), fleet, MAX_REBOOTS="off")
    here.send(ask(*(spec["instance_id"] for spec in fleet)))
    (message,) = chat_of(here)
    assert "24 instances are being rebooted" in message["text"]
    assert "and 14 more" in message["text"]


def test_the_digest_of_an_observing_week_is_told(chatting: Chatting) -> None:
    here = chatting(("dingtalk", "feishu"), GRACE_SECONDS="0", MAX_REBOOTS="off", MODE="observe")
    for _ in range(2):
        here.send(ask(ONE, TWO))
    answer = here.send({"digest": True})
    told = "would have rebooted 2, rebooted 0, refused 2"
    assert [(result["code"], result["reason"]) for result in answer["results"]] == [
        ("digest", f"in the last 7 days: {told}")
    ]
    assert answer["notices"] == {"status": "told", "told": 2}
    messages = chat_of(here)
    assert "observing: 2 instances would have been rebooted" in messages[0]["title"]
    for message in [message for message in messages if "seven days" in message["title"]]:
        assert f"observing: seven days: {told}" in message["title"]
        assert "2 cooldown: our last attempt was too short a while ago" in message["text"]
    assert [message["service"] for message in messages].count("feishu") == 2


def test_a_digest_without_a_logstore_says_so(chatting: Chatting) -> None:
    here = chatting(LOGSTORE="", LOG_PROJECT="")
    (result,) = here.send({"digest": True})["results"]
    assert result["code"] == "nothing_to_do"
    assert "LOGSTORE" in result["reason"]
    assert chat_of(here) == []


def test_a_digest_that_can_t_be_counted_is_tried_again(chatting: Chatting) -> None:
    here = chatting()
    at(here, "/faults", {"service": "sls", "action": "GetLogs", "kind": "drop_before"})
    assert "could not be counted" in here.send({"digest": True})["raised"]["errorMessage"]
