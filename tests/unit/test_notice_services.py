"""Each chat service's form of a message, its signature, and what its answers mean."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.cloud.transport import Answer
from ecs_reboot.records.notices import services
from ecs_reboot.records.notices.notice import Channel, Kind, Message
from ecs_reboot.records.notices.services import dingtalk, feishu

NOW = 1793620800.0
URLS = {
    "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=TOKEN-OF-DING",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN-OF-FEISHU",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=KEY-OF-WECOM",
    "slack": "https://hooks.slack.com/services/T0/B0/TOKEN-OF-SLACK",
    "webhook": "https://ops.example.com/ecs-reboot",
}


def message(
    title: str = "[ecs-reboot] web-01 came back in 34 s", *lines: str, link: str = "https://l.example/q?a=1"
) -> Message:
    return Message(
        kind="came_back",
        title=title,
        lines=lines or ("web-01 (i-1, cn-hangzhou): it is Running again",),
        link=link,
        link_text="Records",
        source="/ecs-reboot/cn-hangzhou",
        event_id="0123456789abcdef",
        instance_ids=("i-1",),
    )


def sent(service: str, what: Message, secret: str = "") -> tuple[str, dict[str, Any]]:
    channel = Channel(service, URLS[service], secret)
    request = services.of(channel).request(what, channel, NOW)
    assert request.method == "POST"
    assert request.headers["host"] == request.address
    assert request.body is not None
    assert request.headers["content-length"] == str(len(request.body))
    return request.target, json.loads(request.body)


def test_dingtalk_is_signed_in_the_url() -> None:
    secret = "SECecs-reboot-test-vector"
    target, body = sent("dingtalk", message(), secret)
    assert target == (
        "/robot/send?access_token=TOKEN-OF-DING&timestamp=1793620800000"
        "&sign=9ZGB0Vcd88TI8gmg8XG0Yqb2rC23d3%2B%2Bu1v%2BVNHEWHA%3D"
    )
    assert body["msgtype"] == "markdown"
    assert body["markdown"]["title"] == "［ecs-reboot］ web-01 came back in 34 s"
    assert body["markdown"]["text"].endswith("\n\n[Records](https://l.example/q?a=1)")
    assert dingtalk.signed(secret, 1) != dingtalk.signed(secret, 2)


def test_feishu_is_signed_in_the_body_with_the_other_key() -> None:
    target, body = sent("feishu", message(), "ecs-reboot-test-vector")
    assert target == "/open-apis/bot/v2/hook/TOKEN-OF-FEISHU"
    assert (body["timestamp"], body["sign"]) == ("1793620800", "mLOgPMdt3luZf6pgAalDuj04i8XjQVX7X3FrprLuyKI=")
    assert body["card"]["header"]["template"] == "green"
    assert feishu.signed("a", 1) != feishu.signed("b", 1)


def test_without_a_secret_nothing_is_signed() -> None:
    assert "sign" not in sent("dingtalk", message())[0]
    assert "sign" not in sent("feishu", message())[1]


def test_wecom_is_cut_by_bytes_and_keeps_its_link() -> None:
    _, body = sent("wecom", message("标题", *["服" * 400] * 10))
    content = body["markdown"]["content"]
    assert len(content.encode()) <= 4096
    assert content.endswith("\n[Records](https://l.example/q?a=1)")
    assert "�" not in content


def test_slack_escapes_what_is_markup() -> None:
    _, body = sent("slack", message("a <!channel> & b", "<@U1>"))
    assert body["text"] == "a &lt;!channel&gt; &amp; b"
    assert body["blocks"][1]["text"] == {"type": "plain_text", "text": "<@U1>"}


def test_the_webhook_gets_a_cloudevent_that_names_the_message() -> None:
    channel = Channel("webhook", URLS["webhook"], "token")
    request = services.of(channel).request(message(), channel, NOW)
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["authorization"] == "Bearer token"
    event = json.loads(request.body or b"")
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "time", "subject")} == {
        "specversion": "1.0",
        "id": "0123456789abcdef",
        "source": "/ecs-reboot/cn-hangzhou",
        "type": "ecs-reboot.notice.v1",
        "time": "2026-11-02T12:00:00Z",
        "subject": "i-1",
    }


@pytest.mark.parametrize("service", ["dingtalk", "wecom"])
@given(text=st.text(alphabet=st.sampled_from("[](){}<>@*`:/!abc 服"), max_size=60))
def test_in_markdown_no_text_of_an_event_makes_a_link_a_tag_or_a_mention(service: str, text: str) -> None:
    _, body = sent(service, message("title", text, link=""))
    content = body["markdown"].get("text") or body["markdown"]["content"]
    written = content.split("title", 1)[1].removeprefix("</font>**")
    assert not set("<`[]@*") & set(written)
    assert ">" not in written.replace("\n> ", "")
    assert "://" not in written


@pytest.mark.parametrize("service", list(URLS))
@given(title=st.text(max_size=300), line=st.text(max_size=3000))
def test_any_text_makes_a_request_that_is_json(service: str, title: str, line: str) -> None:
    target, _ = sent(service, message(title, *[line] * 10))
    assert target.isascii()


def answer(status: int, body: object, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, "", headers, text.encode())


TAKEN = {
    "dingtalk": [answer(200, {"errcode": 0, "errmsg": "ok"})],
    "feishu": [answer(200, {"code": 0, "msg": "success"}), answer(200, {"StatusCode": 0, "StatusMessage": "success"})],
    "wecom": [answer(200, {"errcode": 0, "errmsg": "ok"})],
    "slack": [answer(200, "ok")],
    "webhook": [answer(200, ""), answer(202, "queued"), answer(204, "")],
}
NOT_TAKEN = [
    ("dingtalk", answer(200, {"errcode": 130101, "errmsg": "send too fast"}), "130101", 600),
    ("dingtalk", answer(200, {"status": 1111, "punish": "deny", "wait": 600}), "1111", 600),
    ("dingtalk", answer(200, {"errcode": 310000, "errmsg": "sign not match"}), "310000", 0),
    ("dingtalk", answer(502, "<html>bad gateway</html>"), "HTTP 502", 0),
    ("dingtalk", answer(200, "ok"), "HTTP 200", 0),
    ("feishu", answer(200, {"code": 11232, "msg": "frequency limited"}), "11232", 60),
    ("feishu", answer(200, {"code": 19021, "msg": "sign match fail"}), "19021", 0),
    ("feishu", answer(200, {}), "HTTP 200", 0),
    ("wecom", answer(200, {"errcode": 45009, "errmsg": "api freq out of limit"}), "45009", 60),
    ("wecom", answer(200, {"errcode": 93000, "errmsg": "invalid webhook url"}), "93000", 0),
    ("wecom", answer(200, "[]"), "HTTP 200", 0),
    ("slack", answer(200, "no_service"), "HTTP 200", 0),
    ("slack", answer(404, "no_service"), "HTTP 404", 0),
    ("slack", answer(429, "", **{"retry-after": "30"}), "HTTP 429", 30),
    ("slack", answer(429, "", **{"retry-after": "soon"}), "HTTP 429", 60),
    ("webhook", answer(429, ""), "HTTP 429", 60),
    ("webhook", answer(301, ""), "HTTP 301", 0),
    ("webhook", answer(500, "x" * 1000), "HTTP 500", 0),
]


@pytest.mark.parametrize("service", list(URLS))
def test_what_a_service_took_is_no_failure(service: str) -> None:
    for taken in TAKEN[service]:
        assert services.of(Channel(service, URLS[service])).failure(taken) is None


@pytest.mark.parametrize(("service", "said", "code", "wait"), NOT_TAKEN)
def test_a_refusal_is_read_whatever_http_says(service: str, said: Answer, code: str, wait: float) -> None:
    failure = services.of(Channel(service, URLS[service])).failure(said)
    assert failure is not None
    assert (failure.code, failure.wait_seconds) == (code, wait)
    assert len(failure.reason) < 300


@pytest.mark.parametrize("service", URLS)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_service_has_a_form_for_every_kind_of_notice(service: str, kind: Kind) -> None:
    assert sent(service, message()._replace(kind=kind))


@pytest.mark.parametrize("service", URLS)
def test_a_message_without_lines_or_link_is_whole_without_them(service: str) -> None:
    bare = Message(
        kind="digest", title="nothing to do", lines=(), link="", link_text="Records", source="/ecs-reboot",
        event_id="0123456789abcdef", instance_ids=(),
    )  # fmt: skip
    _, body = sent(service, bare)
    text = json.dumps(body)
    assert "nothing to do" in text
    assert "Records" not in text
    assert not [value for value in (*body.values(), *body.get("blocks", ())) if value in ("", None)]
    assert "subject" not in body
