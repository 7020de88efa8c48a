"""The chat services are as strict as their documents: token, signature, keyword, form, size, rate."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.chat import dingtalk, feishu, slack, webhook, wecom
from localcloud.chat.robots import Reply, Robot, RobotCall
from localcloud.chat.service import token_of

NOW = 1793620800.0
SIGN_OF_DINGTALK = "9ZGB0Vcd88TI8gmg8XG0Yqb2rC23d3++u1v+VNHEWHA="
SIGN_OF_FEISHU = "mLOgPMdt3luZf6pgAalDuj04i8XjQVX7X3FrprLuyKI="
JSON = {"content-type": "application/json; charset=utf-8"}
DING = {"msgtype": "markdown", "markdown": {"title": "web-01", "text": "recovered"}}
CARD: dict[str, Any] = {
    "msg_type": "interactive",
    "card": {
        "header": {"title": {"tag": "plain_text", "content": "web-01"}, "template": "red"},
        "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": "**recovered**"}}],
    },
}
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"title": "web-01"}}


def call(body: object, now: float = NOW, headers: dict[str, str] | None = None, **query: str) -> RobotCall:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RobotCall(query, JSON if headers is None else headers, text, now)


def code(reply: Reply) -> str:
    assert bool(reply.code) == (reply.message is None)
    return reply.code


def test_dingtalk_signature_by_the_vector_of_the_reference() -> None:
    robot = Robot("dingtalk", "t", secret="SECecs-reboot-test-vector")
    signed: dict[str, Any] = {"timestamp": "1793620800000", "sign": SIGN_OF_DINGTALK}
    assert code(dingtalk.answer(robot, call(DING, **signed))) == ""
    assert code(dingtalk.answer(robot, call(DING, **{**signed, "sign": SIGN_OF_DINGTALK.lower()}))) == "310000"
    assert code(dingtalk.answer(robot, call(DING, now=NOW + 3601, **signed))) == "310000"
    assert code(dingtalk.answer(robot, call(DING, timestamp="soon", sign=SIGN_OF_DINGTALK))) == "310000"
    assert code(dingtalk.answer(robot, call(DING))) == "310000"


def test_feishu_signature_by_the_vector_of_the_reference() -> None:
    robot = Robot("feishu", "t", secret="ecs-reboot-test-vector")
    signed = {"timestamp": "1793620800", "sign": SIGN_OF_FEISHU}
    assert code(feishu.answer(robot, call({**CARD, **signed}))) == ""
    assert code(feishu.answer(robot, call({**CARD, **signed, "timestamp": "1793620801"}))) == "19021"
    assert code(feishu.answer(robot, call({**CARD, **signed}, now=NOW + 3601))) == "19021"
    assert code(feishu.answer(robot, call(CARD))) == "19021"


def test_dingtalk_blocks_a_robot_for_ten_minutes_after_twenty_in_a_minute() -> None:
    robot = Robot("dingtalk", "t")
    assert [code(dingtalk.answer(robot, call(DING, now=NOW + number))) for number in range(20)] == [""] * 20
    assert code(dingtalk.answer(robot, call(DING, now=NOW + 20))) == "130101"
    assert code(dingtalk.answer(robot, call(DING, now=NOW + 619))) == "130101"
    assert code(dingtalk.answer(robot, call(DING, now=NOW + 620))) == ""


@pytest.mark.parametrize(
    ("rules", "body", "most", "refused"),
    [(feishu, CARD, 100, "11232"), (wecom, {"msgtype": "markdown", "markdown": {"content": "x"}}, 20, "45009")],
)
def test_the_others_take_the_next_minute_again(rules: Any, body: object, most: int, refused: str) -> None:
    robot = Robot("any", "t")
    assert {code(rules.answer(robot, call(body))) for _ in range(most)} == {""}
    assert code(rules.answer(robot, call(body))) == refused
    assert code(rules.answer(robot, call(body, now=NOW + 61))) == ""


def test_slack_answers_429_with_a_time_to_wait() -> None:
    robot = Robot("slack", "t")
    assert {slack.answer(robot, call({"text": "x"})).body for _ in range(60)} == {"ok"}
    late = slack.answer(robot, call({"text": "x"}))
    assert (late.status, late.headers) == (429, {"retry-after": "30"})


Judge = Callable[[Robot, RobotCall], Reply]
WRONG: list[tuple[Judge, RobotCall, str]] = [
    (dingtalk.answer, call(b"{"), "40035"),
    (dingtalk.answer, call({"msgtype": "markdown", "markdown": {"title": "x"}}), "40035"),
    (dingtalk.answer, call(DING, headers={"content-type": "text/plain"}), "40035"),
    (feishu.answer, call([]), "9499"),
    (feishu.answer, call({**CARD, "padding": "x" * 20_480}), "9499"),
    (feishu.answer, call({"msg_type": "text", "content": {"text": "x"}}), "9499"),
    (wecom.answer, call({"msgtype": "markdown", "markdown": {"content": "服" * 1366}}), "40058"),
    (wecom.answer, call({"msgtype": "markdown"}), "40008"),
    (slack.answer, call({"blocks": []}), "invalid_payload"),
    (slack.answer, call({"text": "x", "blocks": [{"text": {"text": "x" * 3001}}]}), "invalid_blocks"),
    (webhook.answer, call(EVENT), "415"),
    (webhook.answer, call({}, headers={"content-type": "application/cloudevents+json"}), "400"),
]


@pytest.mark.parametrize(("judge", "wrong", "refused"), WRONG)
def test_what_is_wrong_gets_the_services_own_code(judge: Judge, wrong: RobotCall, refused: str) -> None:
    assert code(judge(Robot("any", "t"), wrong)) == refused


def test_keywords_are_asked_for() -> None:
    for rules, body, refused in ((dingtalk, DING, "310000"), (feishu, CARD, "19024")):
        assert code(rules.answer(Robot("any", "t", keyword="web-01"), call(body))) == ""
        assert code(rules.answer(Robot("any", "t", keyword="db-01"), call(body))) == refused


def test_the_webhook_takes_a_cloudevent_with_the_right_bearer() -> None:
    headers = {"content-type": "application/cloudevents+json", "authorization": "Bearer secret"}
    assert code(webhook.answer(Robot("webhook", "t", secret="secret"), call(EVENT, headers=headers))) == ""
    assert code(webhook.answer(Robot("webhook", "t", secret="other"), call(EVENT, headers=headers))) == "401"


def test_robots_are_known_by_the_services_own_addresses() -> None:
    assert token_of(dingtalk, "/robot/send", call({}, access_token="T")) == "T"
    assert token_of(feishu, "/open-apis/bot/v2/hook/T", call({}, token="other")) == "T"
    assert token_of(wecom, "/cgi-bin/webhook/send", call({}, key="T")) == "T"
    assert token_of(slack, "/services/T0/B0/T", call({})) == "T"
    assert token_of(webhook, "/any/name", call({})) == "any/name"
    given = call({}, key="T", access_token="T", token="T")
    assert [token_of(rules, "/elsewhere/x", given) for rules in (dingtalk, feishu, wecom, slack)] == [""] * 4
