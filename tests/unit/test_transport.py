"""The exchange over kept connections, the authorities that are trusted, and the session token that goes with a call."""

import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from answering_server import answering
from scripted_ecs import JumpingClock, deadline

from ecs_reboot.cloud import function_compute
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.function_compute import FunctionId, invoke_later
from ecs_reboot.cloud.oss import Bucket
from ecs_reboot.cloud.transport import AnswerLost, Connections, Request, _connection, tls_context

ROOT = Path(__file__).parents[2]


def keys(token: str) -> Credentials:
    return Credentials(access_key_id="id", access_key_secret="secret", security_token=token)


def test_a_connection_is_kept_and_one_that_the_other_side_closed_is_not_trusted() -> None:
    connections = Connections()
    with answering() as server:
        address = server.url.removeprefix("http://")
        request = Request("http", address, "POST", "/", {"host": address, "content-length": "0"}, b"")
        for _ in range(2):
            assert connections.exchange(request, connect_seconds=10, answer_seconds=10).status == 200
        ((kept, used),) = connections._kept["http", address]
        first = kept.sock
        assert first is not None
        connections._kept["http", address] = [(kept, used - 60)]
        assert connections.exchange(request, connect_seconds=10, answer_seconds=10).status == 200
        ((renewed, _),) = connections._kept["http", address]
        assert renewed.sock is not first, "idle for a minute: whoever is between may have dropped it"
        assert first.fileno() == -1
        connections.close()


def test_an_answer_that_takes_longer_than_it_may_is_lost() -> None:
    connections = Connections()
    with answering() as server:
        address = server.url.removeprefix("http://")
        request = Request("http", address, "POST", "/", {"host": address, "content-length": "0"}, b"")
        with pytest.raises(AnswerLost, match="did not end in time"):
            connections.exchange(
                request, connect_seconds=10, answer_seconds=-time.get_clock_info("monotonic").resolution
            )


@pytest.mark.parametrize("host", ["ecs.cn-hangzhou.aliyuncs.com", "例.example"])
def test_an_encrypted_connection_verifies_chain_and_name(host: str) -> None:
    connection = _connection("https", host, 1.0)
    context = connection._context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    # A name of ASCII alone is given as bytes, which need no codec.
    assert isinstance(connection.host, bytes) == host.isascii()


_LOADED = """
from ecs_reboot.cloud.transport import tls_context
print(len(tls_context().get_ca_certs()), tls_context().verify_mode.name, tls_context().check_hostname)
"""


@pytest.mark.parametrize("hashed", [True, False], ids=["a directory of hashed names", "a directory of none"])
def test_authorities_are_looked_up_as_needed_or_read_at_once_and_verified_in_both_cases(
    tmp_path: Path, *, hashed: bool
) -> None:
    (tmp_path / ("0a1b2c3d.0" if hashed else "readme.txt")).write_text("")
    environment = {"PYTHONPATH": str(ROOT / "src"), "SSL_CERT_DIR": str(tmp_path), "SSL_CERT_FILE": ""}
    done = subprocess.run([sys.executable, "-c", _LOADED], env=environment, capture_output=True, text=True, check=True)
    _, *verified = done.stdout.split()
    assert verified == ["CERT_REQUIRED", "True"]
    assert tls_context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("token", ["", "sts-token"])
def test_the_token_of_a_session_goes_with_each_call_and_none_without_one(token: str) -> None:
    with answering() as server:
        Bucket("evidence", "cn-hangzhou", server.url, keys(token)).put(
            "a/b", b"x", "text/plain", JumpingClock().now(), 20
        )
        server.says({"Code": "AccessDenied", "Message": "no"}, 403)
        with pytest.raises(Exception, match="AccessDenied"):
            invoke_later(FunctionId("1", "cn-hangzhou", "f"), b"{}", keys(token), deadline(), endpoint=server.url)
        function_compute._connections.close()
        stored, invoked = server.sent
    assert stored.headers.get("x-oss-security-token", "") == token
    assert invoked.headers.get("x-acs-security-token", "") == token
    for sent in (stored, invoked):
        assert ("security-token" in sent.headers["authorization"]) == bool(token) or sent is stored
