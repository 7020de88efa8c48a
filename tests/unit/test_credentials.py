"""Where the credentials come from, and that none of their text is shown; records without them are printed, not lost."""

from types import SimpleNamespace

import pytest
from scripted_ecs import REGION, JumpingClock, settings

from ecs_reboot.cloud.credentials import Credentials, NoCredentials, current
from ecs_reboot.records.logstore import LogStoreError
from ecs_reboot.records.logstore_delivery import RecordDelivery

ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.env",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "env-token",
}
OF_CONTEXT = SimpleNamespace(access_key_id="STS.ctx", access_key_secret="ctx-secret", security_token="ctx-token")


def test_those_of_the_context_come_first_and_their_token_with_them() -> None:
    found = current(SimpleNamespace(credentials=OF_CONTEXT), ENVIRONMENT)
    assert (found.access_key_id, found.access_key_secret, found.security_token) == (
        "STS.ctx",
        "ctx-secret",
        "ctx-token",
    )
    found = current(SimpleNamespace(), ENVIRONMENT)
    assert (found.access_key_id, found.access_key_secret, found.security_token) == (
        "STS.env",
        "env-secret",
        "env-token",
    )


@pytest.mark.parametrize("missing", ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
def test_half_of_a_pair_is_none(missing: str) -> None:
    with pytest.raises(NoCredentials, match="give the function a role"):
        current(SimpleNamespace(), {**ENVIRONMENT, missing: ""})


def test_no_secret_is_in_their_text() -> None:
    shown = Credentials(access_key_id="STS.0123456789", access_key_secret="ctx-secret", security_token="ctx-token")
    assert repr(shown) == str(shown) == "Credentials(access_key_id=STS.01...)"


def test_records_without_credentials_stay_on_standard_output_and_the_answer_says_why() -> None:
    stored = settings(LOG_PROJECT="ecs-reboot", LOGSTORE="records")
    delivery = RecordDelivery(stored, NoCredentials(), REGION, JumpingClock())
    delivery.send([{"code": "accepted"}], 1.0)
    assert "no credentials" in str(delivery.outcome())
    with pytest.raises(LogStoreError, match="no credentials"):
        delivery.counted(1.0)


def test_without_a_logstore_nothing_is_sent_and_nothing_counted() -> None:
    delivery = RecordDelivery(settings(), NoCredentials(), REGION, JumpingClock())
    delivery.send([{"code": "accepted"}], 1.0)
    assert "no credentials" not in str(delivery.outcome())
    assert delivery.counted(1.0) is None
