"""No secret setting's value is in any record or answer, whatever the event holds and wherever it holds it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot import handler
from ecs_reboot.records.redaction import MASK, Redactor

TOKEN = "t0ken-A+b/c=="
ENCODED = "t0ken-A%2Bb%2Fc%3D%3D"
PLACES = ["rawPath", "body", "headers", "queryParameters"]


class Context:
    """What Function Compute gives, as far as it is looked at."""

    request_id = "r-1"
    region = "cn-hangzhou"


def output_of(event: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("WEBHOOK_TOKEN", TOKEN)
    monkeypatch.setenv("DEFAULT_REGION", "cn-hangzhou")
    try:
        answer = json.dumps(handler.handle(event, Context()), ensure_ascii=False)
    except RuntimeError as error:
        answer = str(error)
    return answer + capsys.readouterr().out


def http(**fields: Any) -> dict[str, Any]:
    request = {"http": {"method": "POST", "path": "/", "sourceIp": "1.2.3.4"}, "requestId": "r-0"}
    plain: dict[str, Any] = {
        "version": "v1", "rawPath": "/", "body": "", "isBase64Encoded": False, "headers": {}, "queryParameters": {},
        "requestContext": request,
    }  # fmt: skip
    return plain | fields


@pytest.mark.parametrize("token", [TOKEN, ENCODED, ENCODED.lower()])
@pytest.mark.parametrize(
    "event",
    [
        lambda token: http(rawPath=f"/?token={token}&x=\ud800"),
        lambda token: http(headers={"Authorization": f"Bearer {token}"}, body=f"{{{token}"),
        lambda token: http(queryParameters={"token": token, token: token}, body="[" * 100 + token),
        lambda token: http(headers={"Authorization": f"Bearer {TOKEN}"}, body=json.dumps({token: token})),
        lambda token: {"instance_ids": [token], "reason": token, "unheard": token},
        lambda token: [{token: token}],
        lambda token: token,
    ],
)
def test_a_token_is_quoted_nowhere(
    event: Any, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = output_of(json.dumps(event(token)).encode(), monkeypatch, capsys)
    assert said
    assert TOKEN not in said
    assert ENCODED.lower() not in said.lower()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(TOKEN) | st.text().map(lambda text: text + TOKEN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just(TOKEN), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_record_holds_no_secret_is_left(value: Any) -> None:
    assert TOKEN not in json.dumps(Redactor([TOKEN])(value), ensure_ascii=False)


def test_what_is_no_secret_stays() -> None:
    value = {"instance_id": "i-1", "n": 1, "list": [None, True, "x"]}
    assert Redactor([TOKEN])(value) == value
    assert Redactor(["one,two22 three33"])("two22 and three33") == f"{MASK} and {MASK}"
