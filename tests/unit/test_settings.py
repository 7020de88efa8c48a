"""Settings: every mistake at once, each with variable, value and remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.settings.settings import Mistake, SettingsError, load
from ecs_reboot.settings.variable_table import VARIABLES


def mistakes(**environment: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(environment)
    return {mistake.variable: str(mistake) for mistake in caught.value.mistakes}


def test_defaults_are_a_careful_operators() -> None:
    settings = load({"FC_REGION": "cn-hangzhou"})
    assert settings.policy.force_reboot == "never"
    assert settings.batch_optimization == "SuccessFirst"
    assert settings.policy.opt_in_tag == ("ecs-reboot", "enabled")
    assert settings.reading.default_region == "cn-hangzhou"
    assert settings.reading.max_event_age_seconds == 1800
    assert settings.reading.webhook_token == ""
    assert not settings.dry_run
    assert settings.policy.paused is None


def test_all_mistakes_are_reported_at_once() -> None:
    found = mistakes(FORCE_REBOOT="sometimes", MAX_EVENT_AGE_SECONDS="-1", DRY_RUN="perhaps", TIME_ZONE="Mars/Olympus")
    assert set(found) == {"FORCE_REBOOT", "MAX_EVENT_AGE_SECONDS", "DRY_RUN", "TIME_ZONE"}
    assert found["FORCE_REBOOT"] == "FORCE_REBOOT='sometimes': say one of never, always, escalate"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("FORCE_REBOT", "FORCE_REBOOT"),
        ("FROCE_REBOOT", "FORCE_REBOOT"),
        ("force_reboot", "FORCE_REBOOT"),
        ("DRYRUN", "DRY_RUN"),
        ("MAX_EVENT_AGE", "MAX_EVENT_AGE_SECONDS"),
        ("OPT_IN_TAGS", "OPT_IN_TAG"),
        ("ECS_REBOOT_FORCE_REBOOT", "FORCE_REBOOT"),
        ("WEBHOOK-TOKEN", "WEBHOOK_TOKEN"),
    ],
)
def test_a_misspelt_variable_is_a_mistake_with_the_right_name(misspelt: str, meant: str) -> None:
    assert f"did you mean {meant}?" in mistakes(**{misspelt: "true"})[misspelt]


@pytest.mark.parametrize("name", ["PATH", "FC_REGION", "ALIBABA_CLOUD_ACCESS_KEY_ID", "LANG", "LOG_LEVEL", "TZ"])
def test_variables_of_others_are_left_alone(name: str) -> None:
    load({name: "x"})


def test_a_secret_never_stands_in_a_message() -> None:
    found = mistakes(WEBHOOK_TOKEN="hunter2", FORCE_REBOOT="x")
    assert "hunter2" not in repr(found)


def test_the_ledger_key_cannot_be_the_opt_in_key() -> None:
    assert "reserved" in mistakes(OPT_IN_TAG="ecs-reboot.ledger=on")["OPT_IN_TAG"]


def test_an_empty_opt_in_tag_asks_for_none() -> None:
    assert load({"OPT_IN_TAG": ""}).policy.opt_in_tag is None


def test_a_logstore_needs_its_project() -> None:
    assert "LOG_PROJECT" in mistakes(LOGSTORE="records")


@pytest.mark.parametrize(
    ("environment", "variable"),
    [({"LEDGER": "tablestore"}, "TABLESTORE_INSTANCE"), ({"EVIDENCE": "console"}, "EVIDENCE_BUCKET")],
)
def test_what_is_kept_needs_a_place_to_be_kept(environment: dict[str, str], variable: str) -> None:
    assert "name" in mistakes(**environment)[variable]
    load({**environment, variable: "somewhere"})


def test_a_planned_reboot_needs_a_window() -> None:
    event = "Instance:SystemMaintenance.Reboot:Scheduled"
    assert "MAINTENANCE_WINDOWS" in mistakes(ACTIONABLE_EVENTS=event)["ACTIONABLE_EVENTS"]
    load({"ACTIONABLE_EVENTS": event, "MAINTENANCE_WINDOWS": "Mon-Fri 22:00-04:00"})


def test_a_pause_names_reason_person_and_end() -> None:
    pause = load({"PAUSED": "disk swap; by=ana; until=2026-12-01T06:00Z"}).policy.paused
    assert pause is not None
    assert pause.sentence() == "disk swap, by ana, until 2026-12-01T06:00Z"
    assert "until" in mistakes(PAUSED="x; until=tomorrow")["PAUSED"]


@given(st.dictionaries(st.sampled_from([variable.name for variable in VARIABLES]), st.text(max_size=60)))
def test_any_text_gives_settings_or_mistakes_that_name_their_variable(environment: dict[str, str]) -> None:
    mistakes: tuple[Mistake, ...] = ()
    try:
        settings = load(environment)
    except SettingsError as error:
        settings, mistakes = None, error.mistakes
    assert bool(mistakes) is (settings is None)
    assert all(str(mistake).startswith(mistake.variable) for mistake in mistakes)
