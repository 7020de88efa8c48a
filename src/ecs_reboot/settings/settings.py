"""Configuration: environment variables -> one frozen ``Settings``.

Every mistake is reported at once; each names the variable, its value and the remedy. A variable that looks like one of
ours but is not (``FORCE_REBOT``, ``MAX_EVENT_AGE``) is a mistake too: a policy that silently stays at its default is
how a wrong reboot happens. ``VARIABLES`` is the one table: parsing, defaults and docs/operate/settings.md come from it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.model import Value
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import Policy
from ecs_reboot.settings.notify import with_secrets
from ecs_reboot.settings.variable_table import VARIABLES


class Settings(Value):
    """What the operator chose. Fields are the variables' names in lower case; units are in the names."""

    policy: Policy
    reading: EventSettings
    batch_optimization: Literal["AllTogether", "SuccessFirst"]
    dry_run: bool
    ecs_endpoint: str
    ess_endpoint: str
    cms_endpoint: str
    sls_endpoint: str
    network: Literal["public", "vpc"]
    log_project: str
    logstore: str
    tablestore_instance: str
    tablestore_table: str
    tablestore_endpoint: str
    stack_name: str
    evidence: Literal["off", "console", "full"]
    evidence_bucket: str
    oss_endpoint: str
    verify_seconds: int
    claim_settle_seconds: float
    ecs_timeout_seconds: float
    deadline_margin_seconds: float
    handover: bool
    handover_endpoint: str
    notify: tuple[tuple[str, str, str], ...]
    notify_language: Literal["en", "zh"]
    notify_keyword: str


class Mistake(NamedTuple):
    """One wrong variable."""

    variable: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r}: {self.remedy}"


class SettingsError(ValueError):
    """The environment does not make a Settings. ``mistakes`` holds all that is wrong, not only the first."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, self.mistakes)))


#: Settings that belong to one pure step and are handed to it alone.
_PARTS = {
    "policy": (
        "mode", "force_reboot", "paused", "opt_in_tag", "grace_seconds", "maintenance_windows", "freezes", "time_zone",
        "window_triggers", "cooldown_seconds", "max_attempts", "attempt_window_seconds", "max_reboots",
        "max_reboots_window_seconds", "group_tag", "storm_factor", "suspend_after", "ledger", "managed",
        "platform_events", "responsive", "responsive_triggers", "busy_seconds", "hung_after_seconds",
    ),
    "reading": (
        "default_region", "webhook_token", "max_event_age_seconds", "instance_labels", "region_labels",
        "actionable_events",
    ),
}  # fmt: skip

_NAMES = {variable.name for variable in VARIABLES}
#: A variable that starts like this and is not in the table is a misspelling of ours, not somebody else's.
_OURS = (
    "ACTIONABLE_", "ATTEMPT_", "BATCH_OPT", "BUSY_", "CLAIM_", "CMS_END", "COOLDOWN", "DEADLINE_", "DEFAULT_REGION",
    "DRY_RUN", "ECS_END", "ECS_REBOOT_", "ECS_TIME", "ESS_END", "EVIDENCE", "FORCE_REBOOT", "FREEZE", "GRACE_",
    "GROUP_TAG", "HANDOVER", "HUNG_", "INSTANCE_LABEL", "LEDGER", "LOGSTORE", "LOG_PROJ", "LOG_STORE", "MAINTENANCE_",
    "MANAGED", "MAX_ATTEMPT", "MAX_EVENT", "MAX_REBOOT", "NOTIFY_KEY", "NOTIFY_LANG", "NOTIFY_SECRET", "OPT_IN",
    "OSS_END", "PAUSE", "PLATFORM_EVENT", "REGION_LABEL", "RESPONSIVE", "SLS_END", "STACK_NAME", "STORM_", "SUSPEND_",
    "TABLESTORE_", "TIME_ZONE", "VERIFY_", "WEBHOOK_", "WINDOW_",
)  # fmt: skip


def _one_letter_off(name: str) -> Iterable[str]:
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]


#: Of a shorter name nearly every word of four letters would be a misspelling.
_LONG_ENOUGH = 5
_NEARLY = {near: name for name in _NAMES if len(name) >= _LONG_ENOUGH for near in _one_letter_off(name)}


def _meant(name: str) -> str:
    """Return the variable that ``name`` seems to stand for, or ''."""
    plain = name.upper().replace("-", "_")
    if plain.startswith(_OURS) or plain in _NAMES:
        from difflib import get_close_matches  # noqa: PLC0415 - only for a message

        return (get_close_matches(plain.removeprefix("ECS_REBOOT_"), sorted(_NAMES), 1, 0) or ["?"])[0]
    return next((_NEARLY[near] for near in _one_letter_off(plain) if near in _NEARLY), "")


def _not_switchable(events: tuple[str, ...]) -> list[Mistake]:
    from ecs_reboot.events.system_event_catalog import switchable  # noqa: PLC0415 - only where events are switched on

    known = sorted(switchable())
    return [
        Mistake(
            "ACTIONABLE_EVENTS",
            event,
            f"can't be switched on; these can: {', '.join(known)} (docs/understand/events.md)",
        )
        for event in events
        if event not in known
    ]


def load(environment: Mapping[str, str]) -> Settings:
    """Parse the environment.

    Raises SettingsError with every mistake found. Variables that are not ours are left alone.
    """
    mistakes = [
        Mistake(name, environment[name], f"is not a setting; did you mean {meant}? See docs/operate/settings.md")
        for name in environment
        if name not in _NAMES and (meant := _meant(name))
    ]
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        text = environment.get(variable.name, variable.default)
        try:
            values[variable.name.lower()] = variable.parse(text)
        except ValueError as error:
            mistakes.append(Mistake(variable.name, "***" if variable.secret else text, str(error)))
    if not mistakes and values["logstore"] and not values["log_project"]:
        mistakes.append(Mistake("LOG_PROJECT", "", "LOGSTORE is set, so name its project, or empty LOGSTORE"))
    if not mistakes and values["ledger"] == "tablestore" and not values["tablestore_instance"]:
        mistakes.append(Mistake("TABLESTORE_INSTANCE", "", "LEDGER is tablestore, so name its instance, or set tags"))
    if not mistakes and values["managed"] == "protect" and values["ledger"] != "tablestore":
        reason = "what is protected has to stand in the ledger, and a tag has no room for it: set LEDGER=tablestore"
        mistakes.append(Mistake("MANAGED", "protect", reason))
    if not mistakes and values["evidence"] != "off" and not values["evidence_bucket"]:
        mistakes.append(Mistake("EVIDENCE_BUCKET", "", "EVIDENCE is on, so name the bucket for it, or set off"))
    if not mistakes and values["actionable_events"]:
        mistakes += _not_switchable(values["actionable_events"])
    if not mistakes and not values["maintenance_windows"]:
        mistakes += [
            Mistake(
                "ACTIONABLE_EVENTS",
                event,
                "a planned reboot is only brought forward inside MAINTENANCE_WINDOWS: set them",
            )
            for event in values["actionable_events"]
            if "SystemMaintenance" in event
        ]
    if mistakes:
        raise SettingsError(mistakes)
    values["notify"] = with_secrets(values["notify"], values.pop("notify_secret"))
    values["default_region"] = values["default_region"] or environment.get("FC_REGION", "")
    parts = {name: {field: values.pop(field) for field in fields} for name, fields in _PARTS.items()}
    return Settings(policy=Policy(**parts["policy"]), reading=EventSettings(**parts["reading"]), **values)


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of secret variables, as they stand in the environment."""
    return tuple(environment[row.name] for row in VARIABLES if row.secret and environment.get(row.name))
