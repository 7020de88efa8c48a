"""Which results are reported, in which words, once, at a limited rate, and without a secret."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecs_reboot
from ecs_reboot.model import Instance, RebootRequest, Target
from ecs_reboot.outcomes import BY_CODE, OUTCOMES, Code
from ecs_reboot.policy.facts import Facts
from ecs_reboot.records import digest
from ecs_reboot.records import result as records
from ecs_reboot.records.notices.composition import Frame, compose, late
from ecs_reboot.records.notices.cures import CLAUSES
from ecs_reboot.records.notices.log_link import log_link
from ecs_reboot.records.notices.notice import Channel
from ecs_reboot.records.notices.occasions import kind_of, sentence
from ecs_reboot.records.notices.redaction import redacted
from ecs_reboot.records.result import Result
from ecs_reboot.settings.notify import parse_channels, parse_secrets, with_secrets
from ecs_reboot.settings.settings import SettingsError, load

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=timezone.utc)
REGION = "cn-hangzhou"
LINK = "https://sls.console.aliyun.com/x"
ENGLISH = Frame("en", "ecs-reboot", LINK, "/ecs-reboot/cn-hangzhou", "run-1")
CHINESE = ENGLISH._replace(language="zh")


def result(code: Code, number: int = 1, *, action: str = "reboot", **more: Any) -> Result:
    instance_id = f"i-{number}"
    facts = Facts(
        request=RebootRequest(trigger="cms_threshold", evidence="CPU above 95 %"),
        target=Target(instance_id=instance_id, region_id=REGION),
        instance=Instance(
            instance_id=instance_id, region_id=REGION, status="Running", name=f"web-0{number}", read_at=NOW
        ),
        policy=load({}).policy,
        now=NOW,
    )
    return records.of_decision(facts, "reboot" if action == "reboot" else "skip", code, f"why {code}", **more)


def told(*results: Result, frame: Frame = ENGLISH) -> list[tuple[str, str]]:
    return [(notice.message.kind, notice.message.title) for notice in compose(results, frame)]


@pytest.mark.parametrize(
    ("given_result", "english", "chinese"),
    [
        (result("accepted"), ("rebooting", "web-01 is being rebooted"), "web-01 正在重启"),
        (
            result("recovered", downtime_seconds=34.2),
            ("came_back", "web-01 came back in 34 s"),
            "web-01 已恢复，用时 34 秒",
        ),
        (result("stayed_down"), ("not_back", "web-01 did not come back"), "web-01 未恢复"),
        (
            result("attempts_exhausted", action="skip"),
            ("needs_you", "web-01: not rebooted, it needs you"),
            "web-01 未重启，需要人工处理",
        ),
        (
            result("suspended", action="skip"),
            ("needs_you", "cn-hangzhou: not rebooted, it needs you"),
            "cn-hangzhou 未重启，需要人工处理",
        ),
        (
            result("DiskError", api_code="DiskError"),
            ("needs_you", "web-01: not rebooted, it needs you"),
            "web-01 未重启，需要人工处理",
        ),
        (
            result("Forbidden.RAM", api_code="Forbidden.RAM", retriable=True),
            ("needs_you", "cn-hangzhou: not rebooted, it needs you"),
            "cn-hangzhou 未重启，需要人工处理",
        ),
    ],
)
def test_what_is_told_in_both_languages(given_result: Result, english: tuple[str, str], chinese: str) -> None:
    assert told(given_result) == [(english[0], f"[ecs-reboot] {english[1]}")]
    assert told(given_result, frame=CHINESE) == [(english[0], f"[ecs-reboot] {chinese}")]


@pytest.mark.parametrize(
    "quiet",
    [
        result("cooldown", action="skip"),
        result("storm", action="skip"),
        result("not_opted_in", action="skip"),
        result("accepted", dry_run=True),
        result("DRYRUN.SUCCESS", dry_run=True),
        result("IncorrectInstanceStatus", api_code="IncorrectInstanceStatus"),
        result("InternalError", api_code="InternalError", retriable=True),
    ],
)
def test_what_needs_nobody_is_for_the_records_alone(quiet: Result) -> None:
    assert told(quiet) == []


def test_a_message_has_the_sentence_of_the_record_and_the_link() -> None:
    (notice,) = compose([result("stayed_down")], ENGLISH)
    (line,) = notice.message.lines
    assert line.startswith("web-01 (i-1, cn-hangzhou): Why stayed_down. Look at the instance")
    assert notice.message.link == LINK
    assert (notice.message.instance_ids, notice.region_id) == (("i-1",), REGION)


def test_a_storm_is_one_message() -> None:
    held = [result("storm", number, action="skip") for number in range(50)]
    loud = records.of_request(RebootRequest(trigger="x", evidence="y"), REGION, "storm_began", "50 asked for")
    (notice,) = compose([*held, loud], ENGLISH)
    assert notice.message.title == "[ecs-reboot] cn-hangzhou: not rebooted, it needs you"
    assert "50 asked for" in notice.message.lines[0]


def test_many_results_of_one_kind_are_one_message_that_names_the_first() -> None:
    (notice,) = compose([result("accepted", number) for number in range(1, 26)], ENGLISH)
    assert notice.message.title == "[ecs-reboot] 25 instances are being rebooted"
    assert len(notice.message.lines) == 11
    assert notice.message.lines[-1] == "and 15 more"
    assert len(notice.keys) == 25


def test_a_suspended_region_is_told_once_however_many_ask() -> None:
    (notice,) = compose([result("suspended", number, action="skip") for number in (1, 2, 3)], ENGLISH)
    assert len(notice.message.lines) == 1


def test_the_same_trouble_is_told_once_and_a_reboot_each_time() -> None:
    trouble, news = result("attempts_exhausted", action="skip"), result("accepted")
    first = compose([trouble, news], ENGLISH)
    known = frozenset(key for notice in first for key in notice.keys)
    again = ENGLISH._replace(request_id="run-2")
    assert [notice.message.kind for notice in compose([trouble, news], again, known)] == ["rebooting"]
    assert compose([trouble, news], ENGLISH, known) == [], "the same run, invoked again"
    assert compose([result("attempts_exhausted", 2, action="skip")], again, known), "another instance"


def test_a_message_says_the_record_s_reason_once_and_then_what_to_do() -> None:
    reasons: list[tuple[Code, str, str, str]] = [
        (
            "accepted", "ECS accepted the reboot: graceful, by FORCE_REBOOT=never",
            "ECS accepted the reboot: graceful, by FORCE_REBOOT=never.",
            "ECS 已接受重启请求：正常重启（FORCE_REBOOT=never）。",
        ),
        (
            "recovered",
            (
                "it went down and was Running again 30.8 s after ECS accepted; "
                "ECS accepted the reboot: forced, by FORCE_REBOOT=always"
            ),
            (
                "It went down and was Running again 30.8 s after ECS accepted; "
                "ECS accepted the reboot: forced, by FORCE_REBOOT=always."
            ),
            "已停机，并在 ECS 接受请求 30.8 秒后恢复运行；ECS 已接受重启请求：强制重启（FORCE_REBOOT=always）。",
        ),
        (
            "still_rebooting", "it is still Starting, 120 s after ECS accepted",
            (
                "It is still Starting, 120 s after ECS accepted. "
                "Wait for the sweep: it says whether the instance came back or hangs."
            ),
            "ECS 接受请求 120 秒后仍为 Starting。等待巡检：它会写明实例已恢复还是卡住。",
        ),
        (
            "tags_full", "ECS takes no further tag on the instance.",
            "ECS takes no further tag on the instance. Remove a tag, or use LEDGER=tablestore.",
            (
                "标签已满，无法记录。记录原文：ECS takes no further tag on the instance。"
                "删除一个标签，或使用 LEDGER=tablestore。"
            ),
        ),
    ]  # fmt: skip
    for code, reason, english, chinese in reasons:
        for frame, said in ((ENGLISH, english), (CHINESE, chinese)):
            (notice,) = compose([result(code).model_copy(update={"reason": reason})], frame)
            assert notice.message.lines == (f"web-01 (i-1, cn-hangzhou): {said}",)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_message_names_a_field_and_none_is_cut_before_what_to_do(language: Any) -> None:
    fields = set(Result.model_fields) - {"action", "attempt", "code", "evidence", "force", "reason", "retriable"}
    frame = ENGLISH._replace(language=language)
    for outcome in OUTCOMES:
        if kind_of(outcome) in (None, "digest"):
            continue
        (notice,) = compose([result(outcome.code).model_copy(update={"reason": "why " * 200})], frame)
        (line,) = notice.message.lines
        assert len(line) <= 400
        assert "…" in line[:-1]
        assert line.endswith("." if language == "en" else "。")
        assert not [name for name in fields if name in line], line
    counted = dict.fromkeys(map(str, BY_CODE), 1)
    assert not [line for line in digest.reasons(counted, language) if any(name in line for name in fields)]


def test_every_occasion_has_words_in_both_languages() -> None:
    for outcome in OUTCOMES:
        if kind_of(outcome):
            assert sentence(outcome, "why", "en", 400) != sentence(outcome, "why", "zh", 400)
            untranslated = [clause for clause in outcome.cure.split("; ") if clause and clause not in CLAUSES]
            assert untranslated == [], outcome.code


def test_a_cure_is_told_in_the_language_of_the_operator() -> None:
    said = sentence(BY_CODE["attempts_exhausted"], "", "zh", 400)
    assert said.endswith("。检查实例（控制台输出、系统日志）；然后重置。")


def test_every_outcome_that_pages_is_told() -> None:
    assert [outcome.code for outcome in OUTCOMES if outcome.pages and not kind_of(outcome)] == []


def test_kinds_follow_from_the_table_of_outcomes() -> None:
    kinds = {outcome.code: kind_of(outcome) for outcome in OUTCOMES}
    assert [code for code, kind in kinds.items() if kind == "rebooting"] == ["accepted", "started"]
    assert [code for code, kind in kinds.items() if kind == "came_back"] == ["recovered"]
    assert {
        "running_silent",
        "start_due",
        "stayed_down",
        "hung",
        "unproven",
        "accepted_unconfirmed",
        "still_rebooting",
    } == {code for code, kind in kinds.items() if kind == "not_back"}
    quiet: set[Code] = {"intended", "DRYRUN.SUCCESS", "cooldown", "storm", "IncorrectInstanceStatus", "notice_failed"}
    assert {kinds[code] for code in quiet} == {None}


def test_late_notices_are_one_message_and_never_late_twice() -> None:
    down, exhausted = compose([result("stayed_down"), result("attempts_exhausted", 2, action="skip")], ENGLISH)
    single = late([down], ENGLISH)
    assert single.message.title == "[ecs-reboot] told late: web-01 did not come back"
    assert single.message.lines == down.message.lines
    assert late([single], ENGLISH).message.title == single.message.title
    both = late([down, exhausted], ENGLISH)
    assert both.message.title == "[ecs-reboot] 2 earlier notices, told late"
    assert both.message.lines == ("web-01 did not come back", "web-02: not rebooted, it needs you")
    assert set(both.keys) == {*down.keys, *exhausted.keys}


def test_the_link_leads_to_the_records_of_the_run() -> None:
    link = log_link("logs", "records", "run-1", 1793620800.0)
    assert link == (
        "https://sls.console.aliyun.com/lognext/project/logs/logsearch/records?encode=base64"
        "&queryString=cmVxdWVzdF9pZDogInJ1bi0xIg%3D%3D&queryTimeType=99&startTime=1793619900&endTime=1793624400"
    )
    assert log_link("logs", "", "run-1", 0) == ""


DING = "https://oapi.dingtalk.com/robot/send?access_token=abcdef123456"


def test_channels_are_known_by_their_host_or_by_name() -> None:
    text = f"{DING}, https://open.larksuite.com/open-apis/bot/v2/hook/x webhook=https://ops.example.com:8443/in"
    assert [service for service, _, _ in parse_channels(text)] == ["dingtalk", "feishu", "webhook"]
    assert parse_channels("") == ()
    assert parse_channels("slack=http://127.0.0.1:80/_chat/slack/T")[0][:1] == ("slack",)


@pytest.mark.parametrize(
    "wrong",
    [
        "https://hunter2.example.com/hook",
        "teams=https://x.example.com/hunter2",
        "slack=ftp://x.example.com/hunter2",
        "slack=https://user:hunter2@x.example.com/",
        "slack=https://x.example.com/hunter2#part",
        "hunter2",
        "slack=https://x.example.com/hunter2é",
        " ".join(["slack=https://x.example.com/hunter2"] * 9),
    ],
)
def test_a_wrong_address_is_a_mistake_that_does_not_repeat_it(wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"NOTIFY": wrong})
    assert caught.value.mistakes[0].variable == "NOTIFY"
    assert "hunter2" not in str(caught.value)


def test_no_notice_changes_a_decision() -> None:
    """What decides is given the same, whoever is told, and loads nothing of those who tell."""
    told = load({"NOTIFY": f"{DING} webhook=https://ops.example.com/in", "NOTIFY_LANGUAGE": "zh"})
    assert told.notify
    assert told.policy == load({}).policy
    source = Path(ecs_reboot.__file__).parent
    for package in ("policy", "facts", "ledger", "remediation"):
        modules = list((source / package).glob("**/*.py"))
        assert modules
        assert [path.name for path in modules if "records.notices" in path.read_text("utf-8")] == []


def test_secrets_go_to_the_services_that_sign() -> None:
    channels = parse_channels(f"{DING} slack=https://x.example.com/a feishu=https://x.example.com/b")
    assert [secret for _, _, secret in with_secrets(channels, parse_secrets("s1"))] == ["s1", "", "s1"]
    secrets = parse_secrets("dingtalk=SEC1 feishu=s2")
    assert [secret for _, _, secret in with_secrets(channels, secrets)] == ["SEC1", "", "s2"]
    for wrong in ("slack=hunter2", "hunter2 hunter3", "dingtalk="):
        with pytest.raises(SettingsError) as caught:
            load({"NOTIFY_SECRET": wrong})
        assert "hunter" not in str(caught.value)


@given(
    token=st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_", min_size=6, max_size=64),
    secret=st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=64),
    around=st.tuples(st.text(max_size=50), st.text(max_size=50)),
)
def test_nothing_that_a_service_echoes_of_our_secrets_is_kept(token: str, secret: str, around: tuple[str, str]) -> None:
    for service, url in (
        ("dingtalk", f"https://oapi.dingtalk.com/robot/send?access_token={token}"),
        ("slack", f"https://hooks.slack.com/services/{token}"),
        ("webhook", f"https://ops.example.com/{token}/in"),
    ):
        channel = Channel(service, url, secret)
        before, after = around
        for echo in (url, url.partition("://")[2].partition("/")[2], token, secret):
            kept = redacted(f"{before}{echo}{after}", channel)
            assert token not in kept.replace("***", "\n")
            assert secret not in kept.replace("***", "\n")
        assert repr(channel) == f"Channel({service})"


def test_an_observing_function_says_so_in_its_titles() -> None:
    observing, refused = ENGLISH._replace(observing=True), result("attempts_exhausted", action="skip")
    said = "observing: web-01: not rebooted, it needs you"
    assert told(refused, frame=observing) == [("needs_you", f"[ecs-reboot] {said}")]
    (notice,) = compose([refused], observing)
    assert late([notice], observing).message.title == f"[ecs-reboot] told late: {said}"


def test_a_digest_is_a_notice_of_its_own_with_its_reasons_as_lines() -> None:
    counted = digest.written({"would_reboot": 7, "cooldown": 30})
    of_week = Result(
        instance_id="", region_id=REGION, action="skip", code="digest", reason="counted", evidence=counted
    )  # fmt: skip
    (notice,) = compose([of_week], ENGLISH)
    assert notice.message.title == "[ecs-reboot] seven days: would have rebooted 7, rebooted 0, refused 30"
    assert [line.partition(":")[0] for line in notice.message.lines] == ["30 cooldown", "7 would_reboot"]
    assert notice.message.instance_ids == ()
