"""Requests about ledger and records in our own form: ``reset``, ``resume``, ``verify``, ``digest`` (runbook.md).

``{"reset": [IDs], "region_id", "reason"}`` and ``{"resume": true, "region_id", "reason"}`` clear what holds reboots
back, so only a person who calls the function directly may ask for them, and says why. ``{"verify": true, "region_id"}``
changes nothing that anybody relies on, and is what the sweep's timer sends. ``{"digest": true}`` has the records of the
last seven days counted and told.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ecs_reboot.events import instance_id, region
from ecs_reboot.events.assessment import Verdict
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document
from ecs_reboot.events.quoting import plain, quoted
from ecs_reboot.model import LedgerCommand, Rejected
from ecs_reboot.outcomes import Code

Verb = Literal["reset", "resume", "verify", "digest"]
VERBS: tuple[Verb, ...] = ("reset", "resume", "verify", "digest")
_FIELDS = {
    "reset": ("region_id", "reason"),
    "resume": ("region_id", "reason"),
    "verify": ("region_id",),
    "digest": ("region_id",),
}
_BY_HAND = ("reset", "resume")
MAX_IN_COMMAND = 100


def verb_of(body: Mapping[str, object]) -> Verb | None:
    """Return which of the verbs the request names."""
    return next((verb for verb in VERBS if verb in body), None)


def read(
    document: Document, verb: Verb, rules: EventSettings, moment: datetime | None, *, kind: str, by_hand: bool
) -> list[Verdict]:
    """Read a request that names a verb. All that is wrong is said at once."""
    body, at = document.body, document.path
    value = body[verb]
    wrong: list[Rejected] = []
    for key in body:
        if key != verb and key not in _FIELDS[verb]:
            why = f"has no place beside '{verb}', which takes {', '.join(_FIELDS[verb])}"
            wrong.append(_no(at + plain(key), body[key], why, "unknown_field"))
    if verb in _BY_HAND and not by_hand:
        wrong.append(_no(at + verb, value, "is for a person who calls the function directly", "override_not_allowed"))
    reason = body.get("reason", "")
    if verb in _BY_HAND and not (isinstance(reason, str) and reason.strip()):
        wrong.append(_no(at + "reason", reason, f"must say why: '{verb}' lifts a guard", "override_no_reason"))
    where = body.get("region_id", rules.default_region)
    if not region.is_well_formed(where):
        wrong.append(_no(at + "region_id", where, "does not have the form of a region ID", "invalid_region"))
    if verb == "reset":
        wrong += _bad_ids(value, at + verb)
    elif value is not True:
        wrong.append(_no(at + verb, value, "must be true", "invalid_field"))
    if wrong:
        return [*wrong]
    return [
        LedgerCommand(
            verb=verb,
            trigger=">".join((*document.envelopes, kind)),
            region_id=str(where),
            instance_ids=tuple(dict.fromkeys(value)) if isinstance(value, list) else (),
            reason=plain(reason),
            event_time=moment,
        )
    ]


def _bad_ids(value: object, path: str) -> list[Rejected]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_IN_COMMAND:
        return [_no(path, value, f"is not a list of 1 to {MAX_IN_COMMAND} instance IDs", "invalid_field")]
    return [
        _no(f"{path}[{number}]", named, why, "invalid_instance_id")
        for number, named in enumerate(value)
        if (why := instance_id.complaint(named))
    ]


def _no(path: str, value: object, why: str, code: Code) -> Rejected:
    return Rejected(code=code, reason=f"{path}: {quoted(value)} {why}", path=path, value=plain(value))
