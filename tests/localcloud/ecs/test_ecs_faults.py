import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from signed_requests import Api, over_http

from localcloud.account import faults
from localcloud.account.cloud import Cloud
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.faults import Fault, Faults
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.server import server
from localcloud.server.server import Running

WEB, DB = "i-web", "i-db"
REBOOT = {"InstanceId.1": WEB, "RegionId": "cn-hangzhou"}


def fleet() -> Fleet:
    return Fleet(instances=(InstanceSpec(instance_id=WEB), InstanceSpec(instance_id=DB)))


@pytest.fixture
def running() -> Iterator[Running]:
    with server.running(Cloud.from_fleet(fleet())) as where:
        yield where


def declare(running: Running, **fault: Any) -> None:
    running.cloud.faults.add(faults.parse({"action": "RebootInstances", "times": 1, **fault}))


def reboot(running: Running, **more: Any) -> tuple[int, http.client.HTTPMessage, bytes]:
    return over_http(running.host_port, running.cloud.credentials.root, "RebootInstances", REBOOT, **more)


def effects(running: Running) -> tuple[int | None, str, bool, bool]:
    (call,) = running.cloud.audit.calls("RebootInstances")
    return call["http_status"], call["code"], call["effect"], len(running.cloud.audit.changes(WEB)) > 0


class TestAtTheWire:
    @pytest.mark.parametrize(("kind", "happened"), [("drop_before", False), ("drop_after", True)])
    def test_a_dropped_call_ends_at_once_without_a_byte(self, running: Running, kind: str, *, happened: bool) -> None:
        declare(running, kind=kind)
        with pytest.raises(http.client.RemoteDisconnected):
            reboot(running)
        assert effects(running) == (None, "", happened, happened)
        assert running.cloud.audit.calls()[0]["faults"][0]["kind"] == kind

    def test_a_drop_leaves_the_server_in_order(self, running: Running) -> None:
        declare(running, kind="drop_after")
        with pytest.raises(http.client.RemoteDisconnected):
            reboot(running)
        assert json.loads(reboot(running)[2])["Code"] == "IncorrectInstanceStatus"

    def test_a_delayed_answer_has_its_effect_at_once(self, running: Running) -> None:
        declare(running, kind="delay", seconds=30)
        with pytest.raises(TimeoutError):
            reboot(running, timeout=0.3)
        assert effects(running) == (200, "", True, True)

    def test_a_delay_before_delays_the_effect_too(self, running: Running) -> None:
        declare(running, kind="delay", seconds=0.5, before=True)
        with pytest.raises(TimeoutError):
            reboot(running, timeout=0.2)
        assert running.cloud.audit.calls() == ()
        deadline = time.monotonic() + 60
        while not running.cloud.audit.calls() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert effects(running) == (200, "", True, True)

    def test_an_answer_that_is_held_back_never_comes_once_the_server_stops(self) -> None:
        with ThreadPoolExecutor(1) as pool, server.running(Cloud.from_fleet(fleet())) as where:
            declare(where, kind="delay", seconds=60)
            answer = pool.submit(reboot, where, timeout=30)
            deadline = time.monotonic() + 60
            while not where.cloud.audit.calls() and time.monotonic() < deadline:
                time.sleep(0.02)
        assert isinstance(answer.exception(), http.client.RemoteDisconnected)

    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            ({"code": "InternalError"}, 500, "InternalError"),
            ({"code": "ServiceUnavailable"}, 503, "ServiceUnavailable"),
            ({"status": 503}, 503, "InternalError"),
            ({"code": "Own.Code", "status": 409, "message": "own words"}, 409, "Own.Code"),
        ],
    )
    def test_an_error_is_answered_in_place_of_the_call(
        self, running: Running, fault: dict[str, Any], status: int, code: str | None
    ) -> None:
        declare(running, kind="error", **fault)
        answered, headers, body = reboot(running)
        assert (answered, json.loads(body)["Code"]) == (status, code)
        assert json.loads(body)["Message"] == fault.get("message", json.loads(body)["Message"])
        assert headers["content-type"].startswith("application/json")
        assert effects(running) == (status, code, False, False)

    def test_an_error_may_come_after_the_effect(self, running: Running) -> None:
        declare(running, kind="error", code="InternalError", before=False)
        assert reboot(running)[0] == 500
        assert effects(running) == (500, "InternalError", True, True)

    def test_throttling_may_say_when_to_come_again(self, running: Running) -> None:
        declare(running, kind="throttle", retry_after_ms=1500)
        status, headers, body = reboot(running)
        assert (status, json.loads(body)["Code"], headers["x-acs-retry-after"]) == (400, "Throttling.User", "1500")
        assert effects(running) == (400, "Throttling.User", False, False)

    def test_a_truncated_answer_is_no_json_and_the_reboot_happened(self, running: Running) -> None:
        declare(running, kind="truncate")
        status, _, body = reboot(running)
        assert status == 200
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
            json.loads(body)
        assert effects(running) == (200, "", True, True)

    @pytest.mark.parametrize(("before", "happened"), [(True, False), (False, True), (None, True)])
    def test_a_proxys_page_in_place_of_the_answer(
        self, running: Running, *, before: bool | None, happened: bool
    ) -> None:
        declare(running, kind="not_json", **({} if before is None else {"before": before}))
        status, headers, body = reboot(running)
        assert (status, headers["content-type"]) == (502, "text/html; charset=utf-8")
        assert body.startswith(b"<html>")
        assert effects(running) == (502, "", happened, happened)


def test_an_effect_may_come_after_the_client_was_left_without_an_answer(running: Running) -> None:
    declare(running, kind="late_effect", seconds=0.05)
    late: list[dict[str, Any]] = []
    stop = running.cloud.audit.subscribe(lambda entry: late.append(entry) if entry["kind"] == "late_effect" else None)
    with pytest.raises(http.client.RemoteDisconnected):
        reboot(running)
    for _ in range(600):
        if late:
            break
        time.sleep(0.05)
    stop()
    assert [(entry["action"], entry["code"], entry["effect"]) for entry in late] == [("RebootInstances", "", True)]
    assert effects(running) == (None, "", False, True)


def test_a_stale_read_tells_what_was_true(running: Running) -> None:
    declare(running, kind="stale", action="DescribeInstances", seconds=60, times=2)
    root = running.cloud.credentials.root
    reboot(running)

    def status() -> str:
        _, _, body = over_http(running.host_port, root, "DescribeInstances", {"RegionId": "cn-hangzhou"})
        return str(json.loads(body)["Instances"]["Instance"][0]["Status"])

    assert [status(), status(), status()] == ["Running", "Running", "Stopping"]


def test_a_stale_read_has_old_tags_and_a_stale_write_new_ones() -> None:
    api = Api(Cloud.from_fleet(fleet()))
    api.cloud.clock.hold()
    tag = {"RegionId": "cn-hangzhou", "ResourceType": "instance", "ResourceId.1": WEB}
    api.cloud.clock.step(100)
    api.call("TagResources", {**tag, "Tag.1.Key": "k", "Tag.1.Value": "v"})
    api.cloud.clock.step(5)
    api.cloud.faults.add(
        faults.parse([{"kind": "stale", "seconds": 10, "times": 1}, {"kind": "stale", "seconds": 2, "times": 1}])
    )
    rows = [api.call("ListTagResources", tag)[1]["TagResources"]["TagResource"] for _ in range(3)]
    assert [len(found) for found in rows] == [0, 1, 1]


class TestSelection:
    def taken(self, declared: Any, calls: Any) -> list[list[str]]:
        armed = Faults(faults.parse(declared), Cloud.from_fleet(fleet(), seed=1).random("faults"))
        return [[fault.kind for fault in armed.take("ecs", action, ids)] for action, ids in calls]

    def test_skip_and_times_make_a_sequence(self) -> None:
        declared = [{"kind": "throttle", "skip": 1, "times": 1}, {"kind": "drop_before", "times": 1}]
        assert self.taken(declared, [("RebootInstances", ())] * 4) == [["drop_before"], ["throttle"], [], []]

    def test_an_action_and_an_instance_are_what_a_fault_is_about(self) -> None:
        declared = {"kind": "drop_after", "action": "RebootInstances", "instance_id": WEB}
        calls = [("RebootInstances", (DB,)), ("TagResources", (WEB,)), ("RebootInstances", (DB, WEB))]
        assert self.taken(declared, calls) == [[], [], ["drop_after"]]

    def test_faults_of_sls_leave_ecs_alone(self) -> None:
        assert self.taken({"kind": "drop_after", "service": "sls", "action": "PutLogs"}, [("PutLogs", ())]) == [[]]

    def test_one_answer_is_spoilt_once_and_instances_fail_by_themselves(self) -> None:
        declared = [
            {"kind": "delay", "seconds": 1},
            {"kind": "drop_after"},
            {"kind": "error", "code": "InternalError", "instance_id": WEB},
        ]
        assert self.taken(declared, [("RebootInstances", (WEB, DB))]) == [["delay", "error"]]

    def test_probability_is_repeatable_and_near_what_it_says(self) -> None:
        declared = {"kind": "drop_before", "probability": 0.3}
        first = self.taken(declared, [("RebootInstances", ())] * 1000)
        assert first == self.taken(declared, [("RebootInstances", ())] * 1000)
        assert 250 < sum(map(len, first)) < 350

    def test_a_fault_of_one_instance_spoils_an_answer_that_has_no_parts(self) -> None:
        api = Api(Cloud.from_fleet(fleet()))
        api.cloud.faults.add(faults.parse({"kind": "error", "code": "InternalError", "instance_id": WEB}))
        tag = {"RegionId": "cn-hangzhou", "ResourceType": "instance", "ResourceId.1": WEB, "Tag.1.Key": "k"}
        assert api.call("TagResources", tag)[0] == 500
        assert dict(api.cloud.fleet[WEB].state.tags) == {}

    def test_a_call_that_is_not_signed_uses_up_no_fault(self) -> None:
        api = Api(Cloud.from_fleet(fleet()))
        api.cloud.faults.add(faults.parse({"kind": "throttle", "times": 1}))
        forger = api.credential.model_copy(update={"access_key_secret": "guessed"})
        assert Api(api.cloud, forger).call("DescribeRegions")[1]["Code"] == "SignatureDoesNotMatch"
        assert api.call("DescribeRegions")[1]["Code"] == "Throttling.User"


@pytest.mark.parametrize(
    ("declared", "part"),
    [
        ({}, "field 'kind' is missing"),
        ({"kind": "drop"}, "'drop' is not one of"),
        ({"kind": "delay"}, "needs 'seconds'"),
        ({"kind": "error"}, "needs 'code'"),
        ({"kind": "drop_after", "seconds": 3}, "'seconds' means nothing to a drop_after fault"),
        ({"kind": "throttle", "time": 3}, "unknown field 'time'; did you mean 'times'?"),
        ({"kind": "throttle", "times": 0}, "greater than or equal to 1"),
        ({"kind": "throttle", "probability": 2}, "less than or equal to 1"),
        ({"kind": "throttle", "action": "RebootInstance5"}, "did you mean 'RebootInstance"),
        ({"kind": "throttle", "service": "oos"}, "'oos' is not one of ecs, sls"),
        ("drop", "faults[0]"),
    ],
)
def test_mistakes_get_a_sentence_with_their_place(declared: Any, part: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        faults.parse(declared)
    assert part in str(caught.value)
    assert str(caught.value).startswith("faults[0]")


def test_what_a_fault_lets_happen_by_kind() -> None:
    happening = {kind: Fault(kind=kind, seconds=1).lets_effect_happen for kind in ("delay", "stale")}
    happening |= {
        kind: Fault(kind=kind).lets_effect_happen for kind in ("drop_before", "drop_after", "truncate", "throttle")
    }
    assert happening == {
        "delay": True,
        "stale": True,
        "drop_before": False,
        "drop_after": True,
        "truncate": True,
        "throttle": False,
    }
