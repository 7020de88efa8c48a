"""What fires because the monitor has trouble or is being tried out: a firing word, and yet no fault of a machine.

Only what the senders themselves call so is known here. A rule that a user named is the user's word for a fault.
"""

from collections.abc import Mapping

from ecs_reboot.events.finding import Refusal
from ecs_reboot.events.parsing import stated
from ecs_reboot.events.quoting import plain, quoted

_NO_DATA = "the query of the rule gave no data, so nothing was seen of the machine"
_ERROR = "the query of the rule failed, so nothing was seen of the machine"
_WATCHDOG = "it fires all the time, to prove that alerts arrive"
_SILENCED = "somebody silenced it, or another alert inhibits it"

#: The names of alerts, letters and digits only, that senders give to alerts about themselves.
_FAULTS_BY_NAME = {
    "datasourcenodata": _NO_DATA,
    "datasourceerror": _ERROR,
    "nodata": _NO_DATA,
    "watchdog": _WATCHDOG,
    "deadmansswitch": _WATCHDOG,
    "deadmanswitch": _WATCHDOG,
    "deadmanssnitch": _WATCHDOG,
    "alwaysfiring": _WATCHDOG,
    "infoinhibitor": "it only inhibits other alerts",
}
_TESTS_BY_NAME = frozenset(
    [
        "testalert",
        "testalarm",
        "testmessage",
        "testnotification",
        "notificationtest",
        "webhooktest",
        "测试告警",
        "测试报警",
        "告警测试",
        "报警测试",
        "测试通知",
    ]
)
#: State words, letters and digits only, that speak of the monitor.
_FAULTS_BY_STATE = {
    "nodata": _NO_DATA,
    "insufficientdata": _NO_DATA,
    "datasourceerror": _ERROR,
    "error": _ERROR,
    "executionerror": _ERROR,
    "suppressed": _SILENCED,
    "silenced": _SILENCED,
    "inhibited": _SILENCED,
    "muted": _SILENCED,
}
#: Labels and annotations that say why an alert fires without data.
_REASONS = ("grafana_state_reason", "__nodata__", "no_data", "nodata", "noData", "is_nodata", "isNoData", "nodata_fire")
_LONGEST = 64
_NO = frozenset({"", "false", "0", "no", "null", "none"})


def by_name(*names: str) -> Refusal | None:
    """Return why an alert with any of these names is no fault, or None."""
    for name in filter(None, names):
        short = _short(name)
        if short in _FAULTS_BY_NAME:
            return Refusal("monitor_fault", f"'{plain(name)}' is no fault of a machine: {_FAULTS_BY_NAME[short]}")
        if short in _TESTS_BY_NAME:
            return Refusal("test_alert", f"'{plain(name)}' is a test: nothing is at fault")
    return None


def by_labels(path: str, labels: Mapping[str, object]) -> Refusal | None:
    """Return why an alert with these labels or annotations is no fault, or None."""
    if labels.keys().isdisjoint(_REASONS):
        return None
    for key in _REASONS:
        value = labels.get(key)
        if value is not None and plain(value).casefold() not in _NO:
            why = f"{path}.{key} is {quoted(value)}: the monitor, not the machine, is the reason"
            return Refusal("monitor_fault", why)
    return None


def by_state(path: str, word: str) -> Refusal | None:
    """Return why an alert in this state is no fault, or None."""
    why = _FAULTS_BY_STATE.get(_short(word)) if stated(word) else None
    return Refusal("monitor_fault", f"{path} is '{plain(word)}': {why}") if why else None


def _short(text: str) -> str:
    """Return letters and digits only; nothing for a text that is longer than any that is known here."""
    if len(text) > _LONGEST:
        return ""
    folded = text.casefold()
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded))
