"""The official client of Function Compute, unchanged, against the process that ``make serve`` runs.

It invokes this project's own function, which reboots an instance of the served fleet and writes to its log store.
"""

import base64
import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config
from darabonba.runtime import RuntimeOptions
from serving import BATCH, REGION, WEB, Served, serving

EVENTS = Path(__file__).parents[2] / "events"
RETRIES = {"max_async_retry_attempts": 1}


class FunctionCompute:
    """The client, and its models."""

    def __init__(self, package: Callable[[str], Any], served: Served, secret: str = "") -> None:
        self.models = package("alibabacloud_fc20230330.models")
        self.client = package("alibabacloud_fc20230330.client").Client(
            Config(
                access_key_id=served.key,
                access_key_secret=secret or served.secret,
                endpoint=served.host_port,
                protocol="http",
                region_id=REGION,
                read_timeout=60_000,
            )
        )

    def invoke(self, name: str, event: bytes, **headers: str) -> Any:
        return self.client.invoke_function_with_options(
            name,
            self.models.InvokeFunctionRequest(body=BytesIO(event)),
            self.models.InvokeFunctionHeaders(**headers),
            RuntimeOptions(read_timeout=60_000),
        )

    def put_async_config(self, name: str, **settings: Any) -> Any:
        body = self.models.PutAsyncInvokeConfigInput(**settings)
        return self.client.put_async_invoke_config(name, self.models.PutAsyncInvokeConfigRequest(body=body)).body


@pytest.fixture
def fc(package: Callable[[str], Any], served: Served) -> FunctionCompute:
    return FunctionCompute(package, served)


def manual(instance_id: str, **more: Any) -> bytes:
    return json.dumps({"instance_ids": [instance_id], "region_id": REGION, "reason": "contract test", **more}).encode()


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return result


@pytest.mark.client("alibabacloud-fc20230330", "fc:ListFunctions", "fc:GetFunction")
def test_functions_are_listed_and_shown(fc: FunctionCompute, served: Served) -> None:
    (listed,) = fc.client.list_functions(fc.models.ListFunctionsRequest(prefix="ecs", limit=10)).body.functions
    shown = fc.client.get_function(served.function, fc.models.GetFunctionRequest()).body
    assert listed.to_map() == shown.to_map()
    assert (shown.function_name, shown.runtime, shown.state) == ("ecs-reboot", "python3.10", "Active")
    assert shown.function_arn.endswith(":functions/ecs-reboot")
    assert shown.instance_lifecycle_config.initializer.handler


@pytest.mark.client("alibabacloud-fc20230330", "fc:InvokeFunction")
def test_a_synchronous_invocation_reboots(fc: FunctionCompute, served: Served) -> None:
    response = fc.invoke(served.function, manual(WEB), x_fc_log_type="Tail")
    answer = json.loads(response.body.read())
    assert response.status_code == 200
    assert [(result["instance_id"], result["action"]) for result in answer["results"]] == [(WEB, "reboot")]
    assert "x-fc-error-type" not in response.headers
    assert answer["request_id"] == response.headers["x-fc-request-id"]
    log = base64.b64decode(response.headers["x-fc-log-result"])
    assert len(log) <= 4096
    assert log.decode(errors="replace").endswith(f"FC Invoke End RequestId: {answer['request_id']}\n")
    assert [call["effect"] for call in served.audit(action="RebootInstances")] == [True]
    assert served.audit(service="sls", action="PutLogs")


def test_an_asynchronous_invocation_is_accepted_and_carried_out(fc: FunctionCompute, served: Served) -> None:
    response = fc.invoke(served.function, manual(WEB), x_fc_invocation_type="Async")
    assert (response.status_code, response.body.read()) == (202, b"")
    (end,) = wait_for(lambda: served.audit("async_end"))
    assert (end["request_id"], end["condition"]) == (response.headers["x-fc-request-id"], "")
    assert [call["effect"] for call in served.audit(action="RebootInstances")] == [True]


def test_a_form_encoded_alarm_arrives_as_the_bytes_it_is(fc: FunctionCompute, served: Served) -> None:
    event = (EVENTS / "alarm-recovered.form.txt").read_bytes()
    answer = json.loads(fc.invoke(served.function, event).body.read())
    assert answer["status"] in ("ignored", "rejected")
    assert served.audit(action="RebootInstances") == []


def test_a_function_that_raises_is_told_by_a_header(fc: FunctionCompute, served: Served) -> None:
    served.declare(action="DescribeInstances", kind="error", code="InvalidSecurityToken.Expired")
    response = fc.invoke(served.function, manual(WEB))
    assert (response.status_code, response.headers["x-fc-error-type"]) == (200, "UnhandledInvocationError")
    error = json.loads(response.body.read())
    assert error["errorMessage"]
    assert error["stackTrace"]


def test_a_failing_asynchronous_invocation_is_repeated_as_configured(fc: FunctionCompute, served: Served) -> None:
    put = fc.put_async_config(served.function, **RETRIES)
    kept = fc.client.get_async_invoke_config(served.function, fc.models.GetAsyncInvokeConfigRequest()).body
    assert put.to_map() == kept.to_map()
    assert (kept.max_async_retry_attempts, kept.max_async_event_age_in_seconds) == (1, 86_400)
    served.declare(action="DescribeInstances", kind="error", code="InvalidSecurityToken.Expired")
    accepted = fc.invoke(served.function, manual(WEB), x_fc_invocation_type="Async")
    (end,) = wait_for(lambda: served.audit("async_end"))
    assert (end["condition"], end["attempts"]) == ("RetriesExhausted", 2)
    runs = served.audit("invocation")
    assert [run["attempt"] for run in runs] == [1, 2]
    assert {run["request_id"] for run in runs} == {accepted.headers["x-fc-request-id"]}


def test_the_concurrency_limit_throttles(fc: FunctionCompute, served: Served) -> None:
    limit = fc.models.PutConcurrencyInput(reserved_concurrency=0)
    fc.client.put_concurrency_config(served.function, fc.models.PutConcurrencyConfigRequest(body=limit))
    assert fc.client.get_concurrency_config(served.function).body.reserved_concurrency == 0
    with pytest.raises(ClientException) as caught:
        fc.invoke(served.function, manual(WEB))
    assert (caught.value.code, caught.value.status_code) == ("ResourceExhausted", 429)
    fc.client.delete_concurrency_config(served.function)
    assert fc.invoke(served.function, manual(BATCH)).status_code == 200


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"max_async_retry_attempts": 9}, "maxAsyncRetryAttempts"), ({"async_task": True}, "asyncTask")],
)
def test_a_wrong_configuration_is_refused(
    fc: FunctionCompute, served: Served, settings: dict[str, Any], field: str
) -> None:
    with pytest.raises(ClientException) as caught:
        fc.put_async_config(served.function, **settings)
    assert (caught.value.code, caught.value.status_code) == ("InvalidArgument", 400)
    assert field in caught.value.message


def test_refusals_are_client_errors_with_their_code(
    fc: FunctionCompute, served: Served, package: Callable[[str], Any]
) -> None:
    with pytest.raises(ClientException) as caught:
        fc.client.get_function("none", fc.models.GetFunctionRequest())
    assert (caught.value.code, caught.value.status_code) == ("FunctionNotFound", 404)
    assert caught.value.request_id
    with pytest.raises(ClientException) as caught:
        FunctionCompute(package, served, secret="guessed").invoke(served.function, manual(WEB))
    assert (caught.value.code, caught.value.status_code) == ("SignatureNotMatch", 403)
    with pytest.raises(ClientException) as caught:
        fc.invoke(served.function, b"x" * 131_073, x_fc_invocation_type="Async")
    assert caught.value.code == "EntityTooLarge"


def test_another_function_is_served_from_a_directory(package: Callable[[str], Any], tmp_path: Path) -> None:
    """CODE and SET of ``make serve``; the payload is bytes both ways."""
    code = "import os\ndef handle(event, context):\n    return event[::-1] + os.environ['WORD'].encode()\n"
    (tmp_path / "index.py").write_text(code + "def initialize(context):\n    pass\n", encoding="utf-8")
    with serving(CODE=str(tmp_path), SET="WORD='a b'") as served:
        response = FunctionCompute(package, served).invoke(served.function, bytes(range(256)))
        assert response.body.read() == bytes(range(256))[::-1] + b"a b"
