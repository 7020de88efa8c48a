"""Simple Log Service over HTTP, as strict as its documents; requests are signed here, not by the code under test."""

import json
import time
import zlib
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import lz4.block
import pytest
from sls_requests import OWN, STORE, Service, field, log

from localcloud.account.cloud import Cloud
from localcloud.account.faults import Fault
from localcloud.account.fleet import Fleet
from localcloud.server.server import running

RECORD: dict[str, Any] = {"action": "reboot", "instance_id": "i-bp1", "reason": "disk é"}


def test_a_record_is_written_and_read_back(service: Service) -> None:
    group = log(**RECORD) + field(3, b"records") + field(4, b"function") + field(6, field(1, b"v") + field(2, b"1"))
    answer = service.v1("POST", STORE, group)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-log-requestid"]
    call = service.only_call()
    assert (call["action"], call["http_status"], call["code"], call["effect"]) == ("PutLogs", 200, "", True)
    assert call["parameters"] == {
        "project": "ecs-reboot",
        "logstore": "records",
        "logs": 1,
        "topic": "records",
        "source": "function",
    }
    (found,) = service.stored("action: reboot and not action: skip")
    assert found.items() >= {**RECORD, "__topic__": "records", "__source__": "function", "__tag__:v": "1"}.items()
    assert abs(int(found["__time__"]) - time.time()) < 60
    assert service.stored("action: skip") == []


def test_both_digests_of_v1_and_v4_are_taken(service: Service) -> None:
    for number, algorithm in enumerate(("sha1", "sha256"), start=1):
        assert service.v1("POST", STORE, log(n=str(number)), algorithm=algorithm).status == 200
    assert service.v4("POST", STORE, log(n="3")).status == 200
    assert sorted(entry["n"] for entry in service.stored()) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("compress_type", "compress"),
    [
        ("lz4", lambda data: lz4.block.compress(data, store_size=False)),
        ("deflate", zlib.compress),
        (None, lambda data: data),
    ],
)
def test_each_compression(service: Service, compress_type: str | None, compress: Any) -> None:
    raw = log(text="x" * 5000)
    changed = {"x-log-compresstype": compress_type, "x-log-bodyrawsize": str(len(raw))}
    assert service.v1("POST", STORE, compress(raw), changed=changed).status == 200
    assert service.stored()[0]["text"] == "x" * 5000


def test_the_route_by_hash_key_is_taken_and_its_query_signed(service: Service) -> None:
    key = "0" * 32
    assert service.v1("POST", "/logstores/records/shards/route", log(a="1"), query={"key": key}).status == 200
    assert len(service.stored()) == 1


def test_a_role_session_needs_its_token(service: Service) -> None:
    role = service.cloud.credentials.assume_role("function")
    named: dict[str, Any] = {"key": role.access_key_id, "secret": role.access_key_secret}
    assert service.v1("POST", STORE, log(a="1"), **named).code == "Unauthorized"
    changed = {"x-acs-security-token": role.security_token}
    assert service.v1("POST", STORE, log(a="1"), changed=changed, **named).status == 200
    assert service.cloud.audit.calls("PutLogs", service="sls")[-1]["identity"] == "role:function"
    over = service.cloud.credentials.assume_role("function", seconds=-1)
    changed = {"x-acs-security-token": over.security_token}
    named = {"key": over.access_key_id, "secret": over.access_key_secret}
    assert service.v1("POST", STORE, log(a="1"), changed=changed, **named).code == "SecurityTokenExpired"


BODY = log(a="1")
OLD = formatdate(time.time() - 16 * 60, usegmt=True)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"secret": "another"}, 401, "SignatureNotMatch"),
        ({"key": "nobody"}, 401, "Unauthorized"),
        ({"after": {"x-log-bodyrawsize": "1"}}, 401, "SignatureNotMatch"),
        ({"after": {"x-log-extra": "unsigned"}}, 401, "SignatureNotMatch"),
        ({"changed": {"content-md5": "0" * 32}}, 401, "SignatureNotMatch"),
        ({"after": {"authorization": "Basic x"}}, 401, "Unauthorized"),
        ({"after": {"authorization": ""}}, 400, "MissAccessKeyId"),
        ({"changed": {"date": OLD}}, 400, "RequestTimeExpired"),
        ({"changed": {"date": formatdate(time.time() + 60 * 60, usegmt=True)}}, 400, "RequestTimeExpired"),
        ({"changed": {"date": "yesterday"}}, 400, "InvalidRequestTime"),
        ({"changed": {"date": None}}, 400, "MissingDate"),
        ({"changed": {"x-log-signaturemethod": None}}, 400, "MissingSignatureMethod"),
        ({"changed": {"x-log-signaturemethod": "hmac-md5"}}, 400, "InvalidSignatureMethod"),
        ({"changed": {"x-log-apiversion": None}}, 400, "MissingAPIVersion"),
        ({"changed": {"x-log-apiversion": "0.5.0"}}, 400, "InvalidAPIVersion"),
        ({"changed": {"x-log-bodyrawsize": None}}, 400, "MissingBodyRawSize"),
        ({"changed": {"x-log-bodyrawsize": "-1"}}, 400, "InvalidBodyRawSize"),
        ({"changed": {"x-log-bodyrawsize": "1"}}, 400, "InvalidBodyRawSize"),
        ({"changed": {"x-log-bodyrawsize": str(10 * 1024 * 1024 + 1)}}, 400, "PostBodyTooLarge"),
        ({"changed": {"x-log-compresstype": "gzip"}}, 400, "InvalidCompressType"),
        ({"changed": {"x-log-compresstype": "lz4"}}, 400, "PostBodyUncompressError"),
        ({"changed": {"x-log-compresstype": "deflate"}}, 400, "PostBodyUncompressError"),
        ({"changed": {"content-type": None}}, 400, "MissingContentType"),
        ({"changed": {"content-type": "text/plain"}}, 415, "InvalidContentType"),
        ({"changed": {"host": "other.127.0.0.1"}}, 404, "ProjectNotExist"),
        ({"path": "/logstores/absent/shards/lb"}, 404, "LogStoreNotExist"),
        ({"path": "/logstores/records/nothing"}, 400, "ParameterInvalid"),
        ({"body": b"\x08\x01"}, 400, "PostBodyInvalid"),
        ({"body": field(3, b"\xff")}, 400, "InvalidEncoding"),
        ({"body": field(1, b"\x08\x01" + field(2, field(1, b"") + field(2, b"")))}, 400, "PostBodyInvalid"),
        ({"body": log(None, **{"": "v"})}, 400, "InvalidKey"),
        ({"body": lambda: log(time.time() - 8 * 86_400, a="1")}, 400, "PostBodyInvalid"),
        ({"body": lambda: log(time.time() + 1000, a="1")}, 400, "PostBodyInvalid"),
    ],
)
def test_each_mistake_gets_its_documented_code_and_writes_nothing(
    service: Service, wrong: dict[str, Any], status: int, code: str
) -> None:
    asked = dict(wrong)
    body = asked.pop("body", BODY)
    # What depends on the time is made now: collecting the tests may have been minutes ago.
    answer = service.v1("POST", asked.pop("path", STORE), body() if callable(body) else body, **asked)
    assert (answer.status, answer.code) == (status, code)
    assert set(answer.json) == {"errorCode", "errorMessage"}
    assert answer.headers["x-log-requestid"]
    call = service.only_call()
    assert (call["http_status"], call["code"], call["effect"]) == (status, code, False)
    assert service.stored() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": {"x-log-content-sha256": "0" * 64}},
        {"after": {"content-type": "text/plain"}},
        {"secret": "another"},
        {"scope_date": "20200101"},
    ],
)
def test_a_wrong_v4_signature_is_refused(service: Service, wrong: dict[str, Any]) -> None:
    assert service.v4("POST", STORE, BODY, **wrong).code == "SignatureNotMatch"


def test_one_bad_log_refuses_the_whole_group(service: Service) -> None:
    assert service.v1("POST", STORE, log(a="1") + log(1, a="2")).code == "PostBodyInvalid"
    assert service.stored() == []


def test_more_than_declared_does_not_come_out_of_a_small_body(service: Service) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    changed = {"x-log-compresstype": "deflate", "x-log-bodyrawsize": "1000"}
    assert service.v1("POST", STORE, bomb, changed=changed).code == "PostBodyUncompressError"


def test_a_body_beyond_all_limits_is_refused_with_an_answer(service: Service) -> None:
    assert service.v1("POST", STORE, bytes(17 * 1024 * 1024)).code == "PostBodyTooLarge"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "2", "to": "2"}, "InvalidTimeRange"),
        ({"from": "1"}, "ParameterInvalid"),
        ({"from": "1", "to": "2", "line": "101"}, "ParameterInvalid"),
        ({"from": "1", "to": "2", "offset": "-1"}, "ParameterInvalid"),
        ({"from": "1", "to": "2", "query": "* | select 1"}, "InvalidQueryString"),
    ],
)
def test_a_search_that_can_not_be_carried_out(service: Service, asked: dict[str, str], code: str) -> None:
    assert service.v1("GET", "/logstores/records", query={"type": "log", **asked}).code == code


def test_a_search_pages_in_both_directions_within_its_time(service: Service) -> None:
    now = int(time.time())
    service.v1("POST", STORE, b"".join(log(now - 10 + n, n=str(n)) for n in (2, 0, 1, 3)))

    def numbers(**asked: int | str) -> list[str]:
        query = {"type": "log", "from": str(now - 10), "to": str(now - 7), **{k: str(v) for k, v in asked.items()}}
        return [entry["n"] for entry in service.v1("GET", "/logstores/records", query=query).json]

    assert numbers() == ["0", "1", "2"]
    assert numbers(line=1, offset=1) == ["1"]
    assert numbers(reverse="true", line=2) == ["2", "1"]
    assert numbers(topic="absent") == []


def test_a_bare_address_means_the_only_project_or_the_named_one(service: Service) -> None:
    assert service.v1("GET", "/logstores", changed={"host": service.host_port}).json["logstores"] == ["records"]
    two = Fleet(log_projects={"one": ("first",), "two": ("second", "third")})
    with running(Cloud.from_fleet(two, key=OWN)) as server:
        other = Service(server.cloud, server.host_port)
        assert other.v1("GET", "/logstores", changed={"host": other.host_port}).code == "InvalidHost"
        named = {"host": other.host_port, "x-log-project": "two"}
        assert other.v1("GET", "/logstores", changed=named).json["logstores"] == ["second", "third"]
        by_host = {"host": "one.cn-hangzhou.log.aliyuncs.com"}
        assert other.v1("GET", "/logstores/first", changed=by_host).json["logstoreName"] == "first"
        assert other.v1("GET", "/", changed=by_host).json["projectName"] == "one"


def test_an_identity_without_the_right_is_refused(service: Service) -> None:
    asked: list[tuple[str, str]] = []

    def authorize(_: object, action: str, resource: Any) -> bool:
        asked.append((action, resource.arn))
        return False

    service.cloud.authorize = authorize
    answer = service.v1("POST", STORE, BODY)
    assert (answer.status, answer.code) == (401, "Unauthorized")
    assert "log:PostLogStoreLogs" in answer.json["errorMessage"]
    account = service.cloud.account
    assert asked == [("log:PostLogStoreLogs", f"acs:log:cn-hangzhou:{account}:project/ecs-reboot/logstore/records")]


def fault(**declared: Any) -> Fault:
    return Fault.model_validate({"service": "sls", "action": "PutLogs", "times": 1, **declared})


@pytest.mark.parametrize(
    ("declared", "status", "code", "written"),
    [
        ({"kind": "error", "code": "ServerBusy"}, 503, "ServerBusy", False),
        ({"kind": "error", "code": "InternalServerError", "before": False}, 500, "InternalServerError", True),
        ({"kind": "error", "status": 507}, 507, "InternalServerError", False),
        ({"kind": "throttle"}, 403, "WriteQuotaExceed", False),
    ],
)
def test_a_declared_error(service: Service, declared: dict[str, Any], status: int, code: str, *, written: bool) -> None:
    service.cloud.faults.add([fault(**declared)])
    answer = service.v1("POST", STORE, BODY)
    assert (answer.status, answer.code) == (status, code)
    call = service.only_call()
    assert (call["http_status"], call["code"], call["effect"]) == (status, code, written)
    assert call["faults"]
    assert len(service.stored()) == int(written)
    assert service.v1("POST", STORE, BODY).status == 200


@pytest.mark.parametrize(("kind", "written"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection(service: Service, kind: str, *, written: bool) -> None:
    service.cloud.faults.add([fault(kind=kind)])
    with pytest.raises(ConnectionError):
        service.v1("POST", STORE, BODY)
    assert service.only_call()["http_status"] is None
    assert len(service.stored()) == int(written)


def test_a_page_of_a_proxy_in_place_of_the_answer(service: Service) -> None:
    service.cloud.faults.add([fault(kind="not_json")])
    answer = service.v1("POST", STORE, BODY)
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert answer.body.startswith(b"<html>")


def test_a_delay_holds_the_answer_back_and_nothing_else(service: Service) -> None:
    service.cloud.faults.add([fault(kind="delay", seconds=0.4)])
    started = time.monotonic()
    assert service.v1("POST", STORE, BODY).status == 200
    assert time.monotonic() - started >= 0.4


def test_a_truncated_answer_and_a_late_index(service: Service) -> None:
    service.v1("POST", STORE, BODY)
    service.cloud.faults.add([fault(action="GetLogs", kind="stale", seconds=60)])
    assert service.stored() == []
    service.cloud.faults.add([fault(action="GetLogs", kind="truncate")])
    with pytest.raises(json.JSONDecodeError):
        service.stored()
    assert len(service.stored()) == 1


def test_a_fault_does_not_open_a_door_for_a_wrong_signature(service: Service) -> None:
    service.cloud.faults.add([fault(kind="error", code="ServerBusy")])
    assert service.v1("POST", STORE, BODY, secret="another").code == "SignatureNotMatch"
    assert service.v1("POST", STORE, BODY).code == "ServerBusy"


def test_a_reset_empties_the_log_stores(service: Service) -> None:
    service.v1("POST", STORE, BODY)
    service.cloud.reset()
    assert service.stored() == []


def test_paths_are_not_decoded_into_other_operations(service: Service) -> None:
    assert service.v1("POST", "/logstores/" + quote("../x", safe="") + "/shards/lb", BODY).code == "ParameterInvalid"
