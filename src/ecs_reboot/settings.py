"""Configuration: environment variables -> one frozen ``Settings``.

Every mistake is reported at once; each names the variable, its value and the remedy. A variable that looks like one of
ours but is not (``FORCE_REBOT``, ``MAX_EVENT_AGE``) is a mistake too: a policy that silently stays at its default is
how a wrong reboot happens. ``VARIABLES`` is the one table: parsing, defaults and docs/settings.md come from it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ecs_reboot.model import Value
from ecs_reboot.pause import parse_pause
from ecs_reboot.policy import Policy
from ecs_reboot.triggers.rules import Rules
from ecs_reboot.windows import parse_freezes, parse_windows, parse_zone


class Settings(Value):
    """What the operator chose. Fields are the variables' names in lower case; units are in the names."""

    policy: Policy
    reading: Rules
    batch_optimization: Literal["AllTogether", "SuccessFirst"]
    dry_run: bool
    ecs_endpoint: str
    sls_endpoint: str
    network: Literal["public", "vpc"]
    log_project: str
    logstore: str
    ecs_timeout_seconds: float
    deadline_margin_seconds: float


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


class Variable(NamedTuple):
    """One row of the table: a parser takes the text and returns the value, or raises ValueError with the remedy."""

    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False


def _text(text: str) -> str:
    return text.strip()


def _flag(text: str) -> bool:
    try:
        return {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }[text.strip().lower()]
    except KeyError:
        raise ValueError("say true or false") from None


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for one in allowed:
            if text.strip().lower() == one.lower():
                return one
        raise ValueError(f"say one of {', '.join(allowed)}")

    return parse


def _number(low: float, high: float, *, whole: bool = True) -> Callable[[str], float]:
    kind = "a whole number" if whole else "a number"

    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}" if whole else r"[0-9]{1,9}(\.[0-9]{1,6})?", text.strip()):
            raise ValueError(f"give {kind} from {low:g} to {high:g}")
        value = int(text) if whole else float(text)
        if not low <= value <= high:
            raise ValueError(f"give {kind} from {low:g} to {high:g}")
        return value

    return parse


def _words(*, allowed: tuple[str, ...] = ()) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(",") if word.strip())
        unknown = [word for word in words if allowed and word not in allowed]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not known; give a comma-separated list out of {', '.join(allowed)}")
        return words

    return parse


def _region(text: str) -> str:
    if text.strip() and not re.fullmatch(r"[a-z]{2}(-[a-z0-9]+)+", text.strip()):
        raise ValueError("give a region ID such as cn-hangzhou, or nothing for the function's own")
    return text.strip()


def _opt_in_tag(text: str) -> tuple[str, str] | None:
    if not text.strip():
        return None
    key, separator, value = (part.strip() for part in text.partition("="))
    if not separator or not key or not value:
        raise ValueError("give key=value, such as ecs-reboot=enabled, or nothing to ask for no opt-in")
    if key.startswith(("acs:", "aliyun")) or key == LEDGER_TAG:
        raise ValueError(f"the key {key!r} is reserved; choose another, such as ecs-reboot")
    return key, value


def _endpoint(text: str) -> str:
    if text.strip() and not re.fullmatch(r"(https?://)?[A-Za-z0-9.\-\[\]:]+/?", text.strip()):
        raise ValueError("give a host, host:port or http(s)://host:port, or nothing for the region's own endpoint")
    return text.strip().rstrip("/")


def _name(text: str) -> str:
    if text.strip() and not re.fullmatch(r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]", text.strip()):
        raise ValueError("give 3 to 63 lower-case letters, digits and '-', or nothing")
    return text.strip()


#: The one tag this function writes. Never the opt-in key: the function must not be able to opt an instance in.
LEDGER_TAG = "ecs-reboot.ledger"

TRIGGER_KINDS = ("alarm", "event", "timer", "manual")

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "FORCE_REBOOT",
        "never",
        _choice("never", "always", "escalate"),
        "`never`: graceful only. `always`: every reboot is forced, like pulling the plug: unwritten data is lost. "
        "`escalate`: the first attempt graceful, a further one within the escalation window forced.",
    ),
    Variable(
        "BATCH_OPTIMIZATION",
        "SuccessFirst",
        _choice("AllTogether", "SuccessFirst"),
        "`SuccessFirst`: each instance of a batch is rebooted by itself. `AllTogether`: one that ECS refuses holds "
        "back its batch; it is dropped and the rest is asked for again. A dry run always asks AllTogether, since "
        "ECS checks nothing for SuccessFirst.",
    ),
    Variable("DRY_RUN", "false", _flag, "`true`: ask ECS to check each reboot without doing it."),
    Variable(
        "PAUSED",
        "",
        parse_pause,
        "A text pauses the function: the reason, which every refusal repeats. May end in `; by=NAME` and "
        "`; until=2026-12-01T06:00Z`, after which it no longer counts.",
    ),
    Variable(
        "DEFAULT_REGION", "", _region, "The region of an event that names none. Empty: the function's own region."
    ),
    Variable(
        "OPT_IN_TAG",
        "ecs-reboot=enabled",
        _opt_in_tag,
        "`key=value` that an instance must carry to be rebooted. Empty: no opt-in is asked for. "
        "The value `paused` (also `paused; by=NAME; until=TIME`) under the same key always refuses.",
    ),
    Variable(
        "WEBHOOK_TOKEN",
        "",
        _text,
        "The shared secret of HTTP callers, as `Authorization: Bearer TOKEN` or query parameter `token`. "
        "Empty: HTTP events are refused.",
        secret=True,
    ),
    Variable("ECS_ENDPOINT", "", _endpoint, "Overrides the region's ECS endpoint."),
    Variable("SLS_ENDPOINT", "", _endpoint, "Overrides the region's log service endpoint."),
    Variable(
        "NETWORK",
        "public",
        _choice("public", "vpc"),
        "`vpc`: use the intranet endpoints, for a function inside a VPC without internet access.",
    ),
    Variable("LOG_PROJECT", "", _name, "The log project that gets the records."),
    Variable("LOGSTORE", "", _name, "The logstore that gets the records. Empty: stdout only."),
    Variable(
        "MAX_EVENT_AGE_SECONDS",
        "1800",
        _number(0, 604_800),
        "An event older than this is ignored: a throttled delivery can be hours late. 0: no limit.",
    ),
    Variable(
        "INSTANCE_LABELS",
        "instance_id,instanceId,InstanceId,ecs_instance_id",
        _words(),
        "Label keys that may hold the instance ID in SLS, Alertmanager and Grafana alerts.",
    ),
    Variable(
        "REGION_LABELS",
        "region_id,regionId,_aliyun_arms_region_id",
        _words(),
        "Label keys that may hold the instance's region in those alerts.",
    ),
    Variable(
        "ACTIONABLE_EVENTS",
        "",
        _words(),
        "System events, with their status, to act on beyond the defaults of docs/events.md, such as "
        "`Instance:SystemMaintenance.Reboot:Scheduled`.",
    ),
    Variable(
        "GRACE_SECONDS",
        "600",
        _number(0, 86_400),
        "An instance that started less than this ago is left alone: it may still be coming up.",
    ),
    Variable(
        "MAINTENANCE_WINDOWS",
        "",
        parse_windows,
        "When reboots may happen: `DAYS HH:MM-HH:MM`, several separated by `;`, such as "
        "`Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00`. A window belongs to the day it starts on. Empty: always.",
    ),
    Variable(
        "FREEZES",
        "",
        parse_freezes,
        "Days on which nothing is rebooted: `2026-12-24..2027-01-02 year end`, several separated by `;`.",
    ),
    Variable("TIME_ZONE", "UTC", parse_zone, "IANA name of the time zone of windows and freezes."),
    Variable(
        "WINDOW_TRIGGERS",
        "timer,event",
        _words(allowed=TRIGGER_KINDS),
        "Which kinds of trigger the windows and freezes bind: `alarm`, `event` (system events), `timer`, `manual`.",
    ),
    Variable(
        "ECS_TIMEOUT_SECONDS",
        "10",
        _number(0.1, 60, whole=False),
        "How long to wait for one answer of ECS.",
    ),
    Variable(
        "DEADLINE_MARGIN_SECONDS",
        "5",
        _number(0.5, 60, whole=False),
        "Kept back from the function's timeout for writing the records.",
    ),
)

#: Settings that belong to one pure step and are handed to it alone.
_PARTS = {
    "policy": (
        "force_reboot", "paused", "opt_in_tag", "grace_seconds", "maintenance_windows", "freezes", "time_zone",
        "window_triggers",
    ),
    "reading": (
        "default_region", "webhook_token", "max_event_age_seconds", "instance_labels", "region_labels",
        "actionable_events",
    ),
}  # fmt: skip

_NAMES = {variable.name for variable in VARIABLES}
#: A variable that starts like this and is not in the table is a misspelling of ours, not somebody else's.
_OURS = (
    "ECS_REBOOT_", "FORCE_REBOOT", "BATCH_OPT", "DRY_RUN", "PAUSE", "DEFAULT_REGION", "OPT_IN", "WEBHOOK_", "ECS_END",
    "ECS_TIME", "SLS_END", "LOG_PROJ", "LOGSTORE", "LOG_STORE", "MAX_EVENT", "MAX_REBOOT", "INSTANCE_LABEL",
    "REGION_LABEL", "ACTIONABLE_", "GRACE_", "MAINTENANCE_", "FREEZE", "TIME_ZONE", "WINDOW_", "DEADLINE_",
)  # fmt: skip


def _one_letter_off(name: str) -> Iterable[str]:
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]


_NEARLY = {near: name for name in _NAMES for near in _one_letter_off(name)}


def _meant(name: str) -> str:
    """Return the variable that ``name`` seems to stand for, or ''."""
    plain = name.upper().replace("-", "_")
    if plain.startswith(_OURS) or plain in _NAMES:
        from difflib import get_close_matches  # noqa: PLC0415 - only for a message

        return (get_close_matches(plain.removeprefix("ECS_REBOOT_"), sorted(_NAMES), 1, 0) or ["?"])[0]
    return next((_NEARLY[near] for near in _one_letter_off(plain) if near in _NEARLY), "")


def load(environment: Mapping[str, str]) -> Settings:
    """Parse the environment.

    Raises SettingsError with every mistake found. Variables that are not ours are left alone.
    """
    mistakes = [
        Mistake(name, environment[name], f"is not a setting; did you mean {meant}? See docs/settings.md")
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
    values["default_region"] = values["default_region"] or environment.get("FC_REGION", "")
    parts = {name: {field: values.pop(field) for field in fields} for name, fields in _PARTS.items()}
    return Settings(policy=Policy(**parts["policy"]), reading=Rules(**parts["reading"]), **values)
