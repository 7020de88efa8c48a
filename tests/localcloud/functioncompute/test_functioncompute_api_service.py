"""The API over HTTP: strict about who asks and how, and answering as documented."""

import base64
import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from effort import examples
from function_of_tests import NAME, Worker, worker
from hypothesis import given
from hypothesis import strategies as st
from roa_requests import Response, call, send, signed
from signed_requests import timestamp

from localcloud.account.authorization import Resource
from localcloud.account.credentials import Identity
from localcloud.account.faults import parse
from localcloud.server import server
from localcloud.server.server import Running
from localcloud.server.services import Services

FUNCTION = f"/2023-03-30/functions/{NAME}"
INVOKE = f"{FUNCTION}/invocations"


class Api:
    """The API of one running cloud."""

    def __init__(self, platform: Worker, where: Running) -> None:
        self.platform, self.where = platform, where
        self.root = platform.cloud.credentials.root

    def call(self, action: str, method: str, path: str, **more: Any) -> Response:
        return call(self.where.host_port, more.pop("credential", self.root), action, method, path, **more)

    def invoke(self, body: bytes = b"a", **headers: str) -> Response:
        dashed = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("InvokeFunction", "POST", INVOKE, body=body, headers=dashed)

    def refused(self, response: Response) -> tuple[int, str]:
        assert response.json["RequestId"]
        assert response.json["Message"]
        return response.status, response.json["Code"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with (
        worker(tmp_path_factory.mktemp("fc")) as started,
        server.running(started.cloud, services=Services(started.cloud, functions=started.functions)) as where,
    ):
        yield Api(started, where)


@pytest.fixture
def api(shared: Api) -> Api:
    shared.platform.cloud.reset()
    shared.platform.told.write_text("", encoding="utf-8")
    return shared


class TestInvokeFunction:
    def test_the_answer_is_the_body(self, api: Api) -> None:
        response = api.invoke("é".encode())
        assert (response.status, response.body) == (200, "é".encode())
        assert "x-fc-error-type" not in response.headers
        assert "x-fc-log-result" not in response.headers
        (run,) = api.platform.runs()
        assert (response.headers["x-fc-request-id"], response.headers["x-fc-instance-id"]) == run[1::-1]

    def test_an_error_of_the_function_is_no_error_of_the_call(self, api: Api) -> None:
        response = api.invoke(b'{"raise": "no"}')
        assert (response.status, response.headers["x-fc-error-type"]) == (200, "UnhandledInvocationError")
        assert (response.json["errorMessage"], response.json["errorType"]) == ("no", "ValueError")

    def test_the_log_tail_is_4_kb_at_most(self, api: Api) -> None:
        response = api.invoke(b'{"print": 10000}', x_fc_log_type="Tail")
        tail = base64.b64decode(response.headers["x-fc-log-result"])
        assert len(tail) == 4096
        assert tail.decode().splitlines()[-1] == f"FC Invoke End RequestId: {response.headers['x-fc-request-id']}"

    def test_an_asynchronous_request_is_accepted_and_runs(self, api: Api) -> None:
        gate = api.platform.told.with_name("gate")
        response = api.invoke(json.dumps({"until": str(gate)}).encode(), x_fc_invocation_type="Async")
        assert (response.status, response.body) == (202, b"")
        assert not api.platform.functions.wait_until_idle(0)
        gate.touch()
        assert api.platform.functions.wait_until_idle(60)
        (run,) = api.platform.runs()
        assert run.request_id == response.headers["x-fc-request-id"]

    def test_requests_run_at_once_while_the_server_answers_others(self, api: Api) -> None:
        with ThreadPoolExecutor(3) as threads:
            gate = api.platform.told.with_name("gate")
            event = json.dumps({"until": str(gate)}).encode()
            running = [threads.submit(api.invoke, event) for _ in range(3)]
            assert api.call("GetFunction", "GET", FUNCTION).status == 200
            assert not any(future.done() for future in running)
            gate.touch()
            assert len({future.result().headers["x-fc-instance-id"] for future in running}) == 3

    def test_too_many_at_once_are_throttled(self, api: Api) -> None:
        limit = json.dumps({"reservedConcurrency": 0}).encode()
        assert api.call("PutConcurrencyConfig", "PUT", f"{FUNCTION}/concurrency", body=limit).status == 200
        assert api.refused(api.invoke()) == (429, "ResourceExhausted")
        assert api.invoke(x_fc_invocation_type="Async").status == 202
        assert api.platform.runs() == []

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"x_fc_invocation_type": "async"}, "InvalidArgument"),
            ({"x_fc_log_type": "tail"}, "InvalidArgument"),
            ({"x_fc_async_task_id": "a"}, "InvalidArgument"),
        ],
    )
    def test_headers_are_read_strictly(self, api: Api, headers: dict[str, str], code: str) -> None:
        assert api.refused(api.invoke(b"a", **headers)) == (400, code)
        assert api.platform.runs() == []

    def test_payloads_are_limited(self, api: Api) -> None:
        large = b"x" * 131_073
        assert api.refused(api.invoke(large, x_fc_invocation_type="Async")) == (400, "EntityTooLarge")
        assert api.invoke(large).status == 200

    def test_a_function_version_or_alias_that_is_not_there(self, api: Api) -> None:
        none = api.call("InvokeFunction", "POST", "/2023-03-30/functions/none/invocations")
        assert api.refused(none) == (404, "FunctionNotFound")
        aliased = api.call("InvokeFunction", "POST", INVOKE, query={"qualifier": "prod"})
        assert api.refused(aliased) == (404, "VersionNotFound")


class TestSignature:
    def test_a_role_session_may_call(self, api: Api) -> None:
        role = api.platform.cloud.credentials.assume_role("caller")
        assert api.call("GetFunction", "GET", FUNCTION, credential=role).status == 200
        (entry,) = api.platform.cloud.audit.calls(service="fc")
        assert entry["identity"] == "role:caller"

    def test_wrong_keys_and_signatures(self, api: Api) -> None:
        for update, code in (
            ({"access_key_secret": "guessed"}, "SignatureNotMatch"),
            ({"access_key_id": "unknown"}, "InvalidAccessKeyID"),
            ({"security_token": "made-up"}, "AccessDenied"),
        ):
            forger = api.root.model_copy(update=update)
            assert api.refused(api.call("GetFunction", "GET", FUNCTION, credential=forger)) == (403, code)

    def test_no_signature(self, api: Api) -> None:
        response = send(api.where.host_port, "GET", FUNCTION, b"", {})
        assert api.refused(response) == (400, "MissingRequiredHeader")

    def test_a_replay_is_refused(self, api: Api) -> None:
        headers = signed(api.root, "GetFunction", "GET", FUNCTION, host=api.where.host_port)
        assert send(api.where.host_port, "GET", FUNCTION, b"", headers).status == 200
        assert api.refused(send(api.where.host_port, "GET", FUNCTION, b"", headers)) == (403, "AccessDenied")

    @pytest.mark.parametrize("minutes", [-16, 16])
    def test_a_request_of_another_time_is_refused(self, api: Api, minutes: int) -> None:
        moment = timestamp(datetime.now(timezone.utc) + timedelta(minutes=minutes))
        response = api.call("GetFunction", "GET", FUNCTION, headers={"x-acs-date": moment})
        assert api.refused(response) == (403, "AccessDenied")

    @pytest.mark.parametrize(
        "change",
        [
            {"path": "/2023-03-30/functions/other"},
            {"query": "?qualifier=LATEST"},
            {"body": b"x"},
            {"method": "DELETE"},
        ],
    )
    def test_whatever_is_changed_on_the_way_is_noticed(self, api: Api, change: dict[str, Any]) -> None:
        headers = signed(api.root, "InvokeFunction", "POST", INVOKE, body=b"a", host=api.where.host_port)
        path = change.get("path", FUNCTION) + "/invocations" + change.get("query", "")
        method = change.get("method", "POST")
        response = send(api.where.host_port, method, path, change.get("body", b"a"), headers)
        expected = (400, "PathNotSupported") if method == "DELETE" else (403, "SignatureNotMatch")
        assert api.refused(response) == expected
        assert api.platform.runs() == []

    def test_the_signature_is_over_the_path_as_sent(self, api: Api) -> None:
        path = "/2023-03-30/functions/work%65r"
        assert api.call("GetFunction", "GET", path).json["functionName"] == NAME

    @pytest.mark.parametrize("header", ["x-acs-action", "x-acs-version"])
    def test_action_and_version_must_be_those_of_the_path(self, api: Api, header: str) -> None:
        response = api.call("GetFunction", "GET", FUNCTION, headers={header: "other"})
        assert api.refused(response) == (400, "InvalidArgument")

    def test_who_may_not_is_refused(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[str, str]] = []

        def refuse(_identity: Identity, action: str, resource: Resource) -> bool:
            asked.append((action, resource.arn))
            return False

        monkeypatch.setattr(api.platform.cloud, "authorize", refuse)
        assert api.refused(api.invoke()) == (403, "AccessDenied")
        assert asked == [("fc:InvokeFunction", f"acs:fc:cn-hangzhou:1234567890123456:functions/{NAME}")]
        assert api.platform.runs() == []


class TestSettings:
    def test_get_function(self, api: Api) -> None:
        shown = api.call("GetFunction", "GET", FUNCTION).json
        assert (shown["functionName"], shown["runtime"], shown["handler"], shown["timeout"]) == (
            NAME,
            "python3.10",
            "index.handle",
            20,
        )
        assert shown["functionArn"] == f"acs:fc:cn-hangzhou:1234567890123456:functions/{NAME}"

    def test_functions_are_listed_in_pages(self, api: Api) -> None:
        def listed(**query: str) -> dict[str, Any]:
            listing: dict[str, Any] = api.call("ListFunctions", "GET", "/2023-03-30/functions", query=query).json
            return listing

        assert [function["functionName"] for function in listed(limit="1")["functions"]] == [NAME]
        assert "nextToken" not in listed(limit="1")
        assert listed(prefix="x")["functions"] == []
        assert listed(nextToken=NAME)["functions"] == []

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"runtime": "python3.10"}])
    def test_a_list_that_can_not_be_made_is_refused(self, api: Api, query: dict[str, str]) -> None:
        response = api.call("ListFunctions", "GET", "/2023-03-30/functions", query=query)
        assert api.refused(response) == (400, "InvalidArgument")

    @pytest.mark.parametrize(
        ("what", "path", "body", "missing"),
        [
            ("AsyncInvokeConfig", "async-invoke-config", {"maxAsyncRetryAttempts": 8}, "AsyncConfigNotExists"),
            ("ConcurrencyConfig", "concurrency", {"reservedConcurrency": 3}, "ConcurrencyConfigNotFound"),
        ],
    )
    def test_a_setting_is_put_shown_and_taken_away(
        self, api: Api, what: str, path: str, body: dict[str, int], missing: str
    ) -> None:
        where = f"{FUNCTION}/{path}"
        assert api.refused(api.call(f"Get{what}", "GET", where)) == (404, missing)
        put = api.call(f"Put{what}", "PUT", where, body=json.dumps(body).encode())
        assert put.json.items() >= body.items()
        assert api.call(f"Get{what}", "GET", where).json == put.json
        assert api.call(f"Delete{what}", "DELETE", where).status == 204
        assert api.refused(api.call(f"Get{what}", "GET", where)) == (404, missing)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"maxAsyncRetryAttempts": 9}', b"[" * 100_000])
    def test_a_wrong_setting_is_refused(self, api: Api, body: bytes) -> None:
        for what, path in (("AsyncInvokeConfig", "async-invoke-config"), ("ConcurrencyConfig", "concurrency")):
            response = api.call(f"Put{what}", "PUT", f"{FUNCTION}/{path}", body=body)
            assert api.refused(response) == (400, "InvalidArgument")


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code", "runs"),
        [
            ({"kind": "throttle"}, 429, "ResourceExhausted", 0),
            ({"kind": "error", "code": "InternalServerError"}, 500, "InternalServerError", 0),
            ({"kind": "error", "code": "ServiceUnavailable", "before": False}, 503, "ServiceUnavailable", 1),
        ],
    )
    def test_errors(self, api: Api, fault: dict[str, Any], status: int, code: str, runs: int) -> None:
        api.platform.cloud.faults.add(parse({"service": "fc", "action": "InvokeFunction", "times": 1, **fault}))
        assert api.refused(api.invoke()) == (status, code)
        assert len(api.platform.runs()) == runs
        assert api.invoke().status == 200

    @pytest.mark.parametrize(("kind", "runs"), [("drop_before", 0), ("drop_after", 1)])
    def test_a_dropped_connection(self, api: Api, kind: str, runs: int) -> None:
        api.platform.cloud.faults.add(parse({"service": "fc", "kind": kind, "times": 1}))
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            api.invoke()
        assert len(api.platform.runs()) == runs

    def test_a_cut_answer_and_a_proxy_page(self, api: Api) -> None:
        api.platform.cloud.faults.add(
            parse([{"service": "fc", "kind": kind, "times": 1} for kind in ("truncate", "not_json")])
        )
        assert api.invoke(b"abcd").body == b"ab"
        response = api.invoke()
        assert (response.status, response.headers["content-type"].partition(";")[0]) == (502, "text/html")
        assert len(api.platform.runs()) == 2

    def test_a_delay(self, api: Api) -> None:
        api.platform.cloud.faults.add(parse({"service": "fc", "kind": "delay", "seconds": 0.3, "times": 1}))
        began = time.monotonic()
        assert api.invoke().status == 200
        assert time.monotonic() - began > 0.3


def test_an_event_is_handed_over_as_a_trigger_would(api: Api) -> None:
    host_port = api.where.host_port
    api.platform.cloud.faults.add(parse({"service": "fc", "kind": "duplicate", "times": 1}))
    page = f"/_local/deliveries?function={NAME}&source=alarm"
    response = send(host_port, "POST", page, b"metricName=cpu", {})
    assert (response.status, response.json) == (202, {"status": "delivered"})
    assert api.platform.functions.wait_until_idle(10)
    assert [run.event for run in api.platform.runs()] == ["metricName=cpu"] * 2
    (entry,) = api.platform.kinds("delivery")
    assert (entry["source"], entry["fault"]) == ("alarm", "duplicate")
    assert send(host_port, "POST", "/_local/deliveries?function=none", b"a", {}).status == 404
    assert send(host_port, "POST", page, b"x" * 131_073, {}).status == 400
    assert send(host_port, "POST", page, b"a", {"origin": "http://evil.example"}).status == 403


def test_every_call_is_audited_without_its_secrets(api: Api) -> None:
    api.invoke()
    api.call("GetFunction", "GET", "/2023-03-30/functions/none")
    send(api.where.host_port, "GET", "/2023-03-30/nothing", b"", {})
    calls = api.platform.cloud.audit.calls(service="fc")
    assert [(call["action"], call["http_status"], call["code"], call["effect"]) for call in calls] == [
        ("InvokeFunction", 200, "", True),
        ("GetFunction", 404, "FunctionNotFound", False),
        ("Unknown", 400, "PathNotSupported", False),
    ]
    assert api.root.access_key_secret not in json.dumps(api.platform.cloud.audit.entries())


@examples(60)
@given(
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=80),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    body=st.binary(max_size=50),
)
def test_nothing_unsigned_gives_a_server_error_or_runs_anything(
    *, shared: Api, path: str, method: str, body: bytes
) -> None:
    before = len(shared.platform.runs())
    response = send(
        shared.where.host_port, method, f"/2023-03-30/{path}", body, {"authorization": "ACS3-HMAC-SHA256 x"}
    )
    assert 400 <= response.status < 500
    assert len(shared.platform.runs()) == before
