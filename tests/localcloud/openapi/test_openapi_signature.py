import asyncio
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from signed_requests import Api, acs3, timestamp, v1

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Credential, Identity
from localcloud.ecs.service import Ecs
from localcloud.openapi import signature
from localcloud.openapi.nonces import Nonces
from localcloud.openapi.signature import OpenApiRequest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud.from_fleet(fleet.default())


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return Api(cloud)


def send(ecs: Ecs, request: OpenApiRequest) -> tuple[int, Any]:
    answer = asyncio.run(ecs.answer(request))
    assert answer is not None
    return answer.status, json.loads(answer.body)


def post(parameters: dict[str, str], headers: dict[str, str]) -> OpenApiRequest:
    return OpenApiRequest("POST", "/", list(parameters.items()), headers)


def test_the_canonical_request_of_acs3_is_the_one_on_the_wire() -> None:
    names = ["accept", "host", "x-acs-action"]
    request = OpenApiRequest(
        "POST",
        "/",
        [("RegionId", "cn-hangzhou"), ("InstanceId.1", "i-bp1"), ("Name", "a b*~/+")],
        {"accept": " application/json ", "host": "127.0.0.1:38257", "x-acs-action": "RebootInstances"},
    )
    assert signature.canonical_request(request, names, "e3b0") == (
        "POST\n"
        "/\n"
        "InstanceId.1=i-bp1&Name=a%20b%2A~%2F%2B&RegionId=cn-hangzhou\n"
        "accept:application/json\n"
        "host:127.0.0.1:38257\n"
        "x-acs-action:RebootInstances\n"
        "\n"
        "accept;host;x-acs-action\n"
        "e3b0"
    )


def test_an_acs3_signature_worked_out_elsewhere() -> None:
    # openssl: printf 'ACS3-HMAC-SHA256\n<sha256 of the canonical request>' | openssl dgst -sha256 -hmac secret
    assert (
        signature.ACS3_DIGEST.of("secret", "ACS3-HMAC-SHA256\nabc")
        == "583b7363a028d59716b60e0de9322a5ba04b6a25b8148cb6d80f729d982a281f"
    )
    assert signature.V1_DIGEST.of("secret", "POST&%2F&A%3D1") == "BfwfiuZmEWr9UauLNUmgR98qcU8="


def test_the_string_to_sign_of_version_1_encodes_values_twice() -> None:
    parameters = {
        "AccessKeyId": "k",
        "Signature": "not part of it",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "n",
        "SignatureVersion": "1.0",
        "Timestamp": "2026-11-23T12:00:00Z",
        "Name": "a b*",
    }
    signed = signature.read(OpenApiRequest("GET", "/", list(parameters.items()), {}))
    assert signed.string_to_sign == (
        "GET&%2F&AccessKeyId%3Dk%26Name%3Da%2520b%252A%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn"
        "%26SignatureVersion%3D1.0%26Timestamp%3D2026-11-23T12%253A00%253A00Z"
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_both_schemes_are_taken_by_get_and_post(cloud: Cloud, method: str) -> None:
    ecs, root = Ecs(cloud), cloud.credentials.root
    headers = acs3(root, "DescribeRegions", {}, method=method)
    assert send(ecs, OpenApiRequest(method, "/", [], headers))[0] == 200
    parameters = v1(root, "DescribeRegions", {}, method=method)
    assert send(ecs, OpenApiRequest(method, "/", list(parameters.items()), {}))[0] == 200


def test_version_1_parameters_may_come_in_a_form(cloud: Cloud) -> None:
    pairs = list(v1(cloud.credentials.root, "DescribeRegions", {}).items())
    assert send(Ecs(cloud), OpenApiRequest("POST", "/", pairs[:3], {}, b"ignored", pairs[3:]))[0] == 200


def test_a_role_session_is_known_by_its_token(cloud: Cloud) -> None:
    session = cloud.credentials.assume_role("ecs-reboot")
    assert Api(cloud, session).call("DescribeRegions")[0] == 200
    assert cloud.audit.calls()[0]["identity"] == "role:ecs-reboot"
    assert send(Ecs(cloud), post(v1(session, "DescribeRegions", {}), {}))[0] == 200


def test_a_wrong_secret_is_refused_with_the_servers_string_to_sign(cloud: Cloud) -> None:
    root = cloud.credentials.root
    forger = root.model_copy(update={"access_key_secret": "guessed"})
    status, body = Api(cloud, forger).call("DescribeRegions")
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")
    assert "server string to sign is:ACS3-HMAC-SHA256\n" in body["Message"]
    assert root.access_key_secret not in json.dumps(body)


@pytest.mark.parametrize("scheme", ["acs3", "v1"])
def test_a_parameter_changed_after_signing_is_refused_and_does_nothing(cloud: Cloud, scheme: str) -> None:
    ecs, root = Ecs(cloud), cloud.credentials.root
    wanted = {"InstanceId.1": "i-bp1a2b3c4d5e6f7g8h9i", "RegionId": "cn-hangzhou", "DryRun": "true"}
    parameters, headers = (
        (wanted, acs3(root, "RebootInstances", wanted))
        if scheme == "acs3"
        else (v1(root, "RebootInstances", wanted), {})
    )
    status, body = send(ecs, post({**parameters, "DryRun": "false"}, headers))
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")
    assert cloud.audit.changes() == ()


@pytest.mark.parametrize("name", ["x-acs-action", "x-acs-version", "x-acs-date", "host"])
def test_a_header_changed_after_signing_is_refused(cloud: Cloud, name: str) -> None:
    headers = acs3(cloud.credentials.root, "DescribeRegions", {})
    changed = {"x-acs-date": timestamp(datetime.now(timezone.utc) - timedelta(seconds=30))}.get(name, "other")
    assert send(Ecs(cloud), post({}, {**headers, name: changed}))[1]["Code"] == "SignatureDoesNotMatch"


def test_a_body_that_was_not_signed_is_refused(cloud: Cloud) -> None:
    headers = acs3(cloud.credentials.root, "DescribeRegions", {})
    status, body = send(Ecs(cloud), OpenApiRequest("POST", "/", [], headers, b"InstanceId.1=i-x"))
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")


def test_a_body_hash_that_is_not_the_bodys_is_refused_however_well_signed(cloud: Cloud) -> None:
    headers = acs3(cloud.credentials.root, "DescribeRegions", {}, x_acs_content_sha256="0" * 64)
    status, body = send(Ecs(cloud), post({}, headers))
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")
    assert "x-acs-content-sha256" in body["Message"]


def test_a_parameter_given_twice_is_refused_however_well_signed(cloud: Cloud) -> None:
    root = cloud.credentials.root
    pairs = [
        *v1(root, "DescribeInstances", {"RegionId": "cn-hangzhou"}).items(),
        ("RegionId", "cn-beijing"),
    ]
    unsigned = [pair for pair in pairs if pair[0] != "Signature"]
    signed = signature.read(OpenApiRequest("POST", "/", [*unsigned, ("Signature", "x")], {}))
    good = ("Signature", signed.expected.of(root.access_key_secret, signed.string_to_sign))
    status, body = send(Ecs(cloud), OpenApiRequest("POST", "/", [*unsigned, good], {}))
    assert (status, body["Code"]) == (400, "InvalidParameter")
    assert "RegionId" in body["Message"]


def test_an_acs_header_that_is_not_signed_is_refused(cloud: Cloud) -> None:
    headers = acs3(cloud.credentials.root, "DescribeRegions", {})
    status, body = send(Ecs(cloud), post({}, {**headers, "x-acs-extra": "1"}))
    assert (status, body["Code"]) == (400, "IncompleteSignature")
    assert "x-acs-extra" in body["Message"]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(-901, "InvalidTimeStamp.Expired"), (905, "InvalidTimeStamp.Expired"), (-890, None), (890, None)],
)
@pytest.mark.parametrize("scheme", ["acs3", "v1"])
def test_a_clock_may_be_off_by_15_minutes(cloud: Cloud, scheme: str, seconds: int, code: str | None) -> None:
    moment = timestamp(datetime.now(timezone.utc) + timedelta(seconds=seconds))
    root = cloud.credentials.root
    request = (
        post({}, acs3(root, "DescribeRegions", {}, x_acs_date=moment))
        if scheme == "acs3"
        else post(v1(root, "DescribeRegions", {}, Timestamp=moment), {})
    )
    assert send(Ecs(cloud), request)[1].get("Code") == code


def test_the_clouds_own_clock_has_no_part_in_signatures(cloud: Cloud, api: Api) -> None:
    cloud.clock.hold(NOW - timedelta(days=400))
    assert api.call("DescribeRegions")[0] == 200


def test_a_nonce_is_good_once(cloud: Cloud) -> None:
    ecs, headers = Ecs(cloud), acs3(cloud.credentials.root, "DescribeRegions", {})
    assert send(ecs, post({}, headers))[0] == 200
    assert send(ecs, post({}, headers))[1]["Code"] == "SignatureNonceUsed"


def test_a_nonce_is_forgotten_only_when_its_timestamp_can_not_be_good_any_more() -> None:
    nonces = Nonces()
    assert not nonces.used("k", "n", NOW)
    assert nonces.used("k", "n", NOW + timedelta(seconds=1799))
    assert not nonces.used("other", "n", NOW)
    assert not nonces.used("k", "n", NOW + timedelta(seconds=1801))


def refusal(cloud: Cloud, credential: Credential) -> tuple[int, str]:
    status, body = Api(cloud, credential).call("DescribeRegions")
    return status, body["Code"]


def test_credentials_that_open_nothing(cloud: Cloud) -> None:
    session, other = cloud.credentials.assume_role("a"), cloud.credentials.assume_role("b")
    stranger = Credential(identity=Identity(kind="root", name="x"), access_key_id="who", access_key_secret="x")
    assert refusal(cloud, stranger) == (404, "InvalidAccessKeyId.NotFound")
    assert refusal(cloud, session.model_copy(update={"security_token": ""})) == (400, "MissingSecurityToken")
    assert refusal(cloud, session.model_copy(update={"security_token": "made-up"})) == (
        400,
        "InvalidSecurityToken.Malformed",
    )
    for mixed in (session, cloud.credentials.root):
        with_other_token = mixed.model_copy(update={"security_token": other.security_token})
        assert refusal(cloud, with_other_token) == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    assert refusal(cloud, cloud.credentials.assume_role("c", seconds=0)) == (400, "InvalidSecurityToken.Expired")


@pytest.mark.parametrize(
    ("parameters", "headers", "code"),
    [
        ({}, {}, "MissingAccessKeyId"),
        ({"AccessKeyId": "k"}, {}, "InvalidSignatureMethod"),
        ({"AccessKeyId": "k", "SignatureMethod": "HMAC-SHA1"}, {}, "InvalidSignatureVersion"),
        ({"AccessKeyId": "k", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0"}, {}, "IncompleteSignature"),
        ({}, {"authorization": "Bearer x"}, "InvalidSignatureMethod"),
        ({}, {"authorization": "ACS3-HMAC-SHA256 Credential=x"}, "IncompleteSignature"),
        (
            {},
            {"authorization": f"ACS3-HMAC-SHA256 Credential=x,SignedHeaders=b;a,Signature={'0' * 64}"},
            "IncompleteSignature",
        ),
        ({}, {"authorization": "ACS3-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=zz"}, "IncompleteSignature"),
    ],
)
def test_an_incomplete_signature_is_told(
    cloud: Cloud, parameters: dict[str, str], headers: dict[str, str], code: str | None
) -> None:
    status, answer = send(Ecs(cloud), post({**parameters, "Format": "JSON"}, headers))
    assert answer["Code"] == code
    assert 400 <= status < 500


def test_a_timestamp_may_have_milliseconds(cloud: Cloud) -> None:
    moment = timestamp(datetime.now(timezone.utc)).replace("Z", ".123Z")
    parameters = v1(cloud.credentials.root, "DescribeRegions", {}, Timestamp=moment)
    assert send(Ecs(cloud), post(parameters, {}))[0] == 200, "as aliyun-sdk for Node.js writes them"


def test_a_timestamp_in_another_form_is_told(cloud: Cloud) -> None:
    headers = acs3(cloud.credentials.root, "DescribeRegions", {}, x_acs_date="Mon, 23 Nov 2026 12:00:00 GMT")
    assert send(Ecs(cloud), post({}, headers))[1]["Code"] == "InvalidTimeStamp.Format"


def test_no_secret_reaches_the_audit_or_a_credentials_text(cloud: Cloud) -> None:
    session = cloud.credentials.assume_role("r")
    send(Ecs(cloud), post(v1(session, "DescribeRegions", {}), {}))
    written = json.dumps(cloud.audit.entries()) + repr(session) + str(session)
    assert session.access_key_secret not in written
    assert session.security_token not in written
