"""Our own request form: what a person, a timer or a queue asks for explicitly.

A request about the ledger instead of a reboot is read by ``ledger_request``. Either ``instance_ids`` or selectors
(``tags``, ``resource_group_id``, ``name``), never both: what was meant by both together would be a guess. An unknown
field refuses the whole request, since a misspelt one may have been the limit that mattered. A bad instance ID refuses
only itself.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from ecs_reboot import utc_time
from ecs_reboot.events import instance_id, region
from ecs_reboot.events.assessment import Verdict, age
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document
from ecs_reboot.events.quoting import LIMIT, plain, quoted
from ecs_reboot.events.sources import ledger_request
from ecs_reboot.model import RebootRequest, Rejected, Rolling, Selector, Target
from ecs_reboot.outcomes import Code

MAX_IN_REQUEST = 5000
MAX_TAGS = 20  # as many as DescribeInstances takes
MAX_COMPLAINTS = 20  # about one field or kind of mistake: enough to see what is wrong
MAX_WORD = 128  # a tag's key or value, an instance's name
SELECTORS = ("tags", "resource_group_id", "name")
ROLLING = ("limit", "since", "older_than")
MAX_LIMIT = 100  # as many as one RebootInstances takes
_GROUP = re.compile(r"rg-[0-9a-z]{1,60}")
_Complaints = list[tuple[str, object, str]]  # where below the field, the value, what is wrong with it


def find(document: Document, rules: EventSettings, now: datetime) -> list[Verdict]:
    """Read a request that came bare (then it is by hand) or through a queue, a topic or HTTP."""
    return read(document, rules, now, kind="manual", by_hand=not (document.envelopes or document.path))


def read(document: Document, rules: EventSettings, now: datetime, *, kind: str, by_hand: bool) -> list[Verdict]:
    """Read a request; ``kind`` ends the trigger. All that is wrong is said at once."""
    body, at = document.body, document.path
    if verb := ledger_request.verb_of(body):
        moment, verdict = age(None, document.delivered, rules, now, needed=False)
        return [verdict] if verdict else ledger_request.read(document, verb, rules, moment, kind=kind, by_hand=by_hand)
    rejected = [*_unknown(body, at), *_mistyped(body, at)]
    if not rejected:
        rejected = [*_combination(body, at), *_override(body, at, by_hand=by_hand)]
    where = body.get("region_id", rules.default_region)
    if not rejected and not where:
        rejected = [_no(at + "region_id", "", "is missing and DEFAULT_REGION is empty", "no_region")]
    if rejected:
        return [*rejected]
    moment, verdict = age(None, document.delivered, rules, now, needed=False)
    if verdict:
        return [verdict]
    return _request(document, str(where), kind, moment, by_hand=by_hand)


def nearest(field: str) -> str:
    """Return the field of a request that a misspelt one is nearest to; empty if none is near."""
    return _nearest(field.casefold()) if len(field) <= LIMIT else ""


@lru_cache(maxsize=100)  # a list may hold the same stranger's fields a thousand times
def _nearest(field: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - heavy, and only mistakes need it

    near = get_close_matches(field, _FIELDS, n=1, cutoff=0.7)
    return near[0] if near else ""


def is_request(body: Mapping[str, object]) -> bool:
    """Return whether an object means to be a request.

    It has a word that only requests have, or at least half of its fields are those of a request or nearly so.
    """
    if is_only_request(body):
        return True
    ours = sum(key in _FIELDS or nearest(key) != "" for key in list(body)[:MAX_COMPLAINTS])
    return ours > 0 and ours * 2 >= len(body)


def is_only_request(body: Mapping[str, object]) -> bool:
    """Return whether an object can be nothing but a request: by ``instance_ids``, a verb, or all of its fields."""
    if ledger_request.verb_of(body) or "instance_ids" in body:
        return True
    return bool(body.keys() & set(SELECTORS)) and body.keys() <= _FIELDS.keys()


def _request(document: Document, where: str, kind: str, moment: datetime | None, *, by_hand: bool) -> list[Verdict]:
    body, at = document.body, document.path
    targets: dict[Target, None] = {}
    rejected: list[Verdict] = []
    ids = body.get("instance_ids")
    for number, named in enumerate(ids if isinstance(ids, list) else ()):
        wrong = instance_id.complaint(named)
        if wrong:
            refused = _no(f"{at}instance_ids[{number}]", named, wrong, "invalid_instance_id")
            rejected.append(refused.model_copy(update={"instance_id": plain(named), "region_id": where}))
        else:
            targets[Target(instance_id=named, region_id=where)] = None
    selector = None if "instance_ids" in body else _selector(body, where)
    if not targets and not selector:
        return rejected
    count = f"{len(targets)} instance{'' if len(targets) == 1 else 's'}" if targets else "the instances selected"
    reason = plain(body.get("reason", ""))
    force, override = body.get("force"), body.get("override")
    request = RebootRequest(
        trigger=">".join((*document.envelopes, kind)),
        evidence=f"a {kind} request asks to reboot {count}" + (f": {reason}" if reason else ""),
        targets=tuple(targets),
        selector=selector,
        rolling=_rolling(body),
        reason=reason,
        force=force if isinstance(force, bool) else None,
        dry_run=body.get("dry_run") is True,
        override=tuple(dict.fromkeys(override)) if isinstance(override, list) else (),
        by_hand=by_hand,
        fault_key=plain(f"{kind}:{document.delivery}") if document.delivery else "",
        event_time=moment,
    )
    return [*rejected, request]


def _selector(body: Mapping[str, object], where: str) -> Selector:
    tags = body.get("tags")
    return Selector(
        region_id=where,
        tags=tuple(sorted(tags.items())) if isinstance(tags, dict) else (),
        resource_group_id=str(body.get("resource_group_id", "")),
        name=str(body.get("name", "")),
    )


def _rolling(body: Mapping[str, object]) -> Rolling | None:
    limit, since, older_than = body.get("limit"), body.get("since"), body.get("older_than")
    if not isinstance(limit, int):
        return None
    return Rolling(
        limit=limit,
        since=utc_time.parse(since) if isinstance(since, str) else None,
        older_than_seconds=_seconds(older_than) if isinstance(older_than, str) else 0,
    )


def _seconds(text: str) -> int:
    """Read `30d`, `12h` or `90m`; 0 for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", text, re.ASCII)
    return int(match[1]) * {"d": 86_400, "h": 3600, "m": 60}[match[2]] if match else 0


def _unknown(body: Mapping[str, object], at: str) -> list[Rejected]:
    rejected = []
    for key in [field for field in body if field not in _FIELDS][:MAX_COMPLAINTS]:
        near = nearest(key)
        hint = f"did you mean '{near}'?" if near else f"a request has {', '.join(_FIELDS)}"
        rejected.append(_no(at + plain(key), body[key], f"is in no field of a request; {hint}", "unknown_field"))
    return rejected


def _mistyped(body: Mapping[str, object], at: str) -> list[Rejected]:
    return [
        _no(at + key + below, value, wrong, "invalid_field")
        for key, check in _FIELDS.items()
        if key in body
        for below, value, wrong in check(body[key])[:MAX_COMPLAINTS]
    ]


def _combination(body: Mapping[str, object], at: str) -> list[Rejected]:
    selectors = [key for key in SELECTORS if key in body]
    if "instance_ids" in body and selectors:
        why = "stands beside instance_ids; name instances or select them, not both"
        return [_no(at + key, body[key], why, "contradiction") for key in selectors]
    if "instance_ids" not in body and not selectors:
        reason = f"the request says no instances: give instance_ids or one of {', '.join(SELECTORS)}"
        return [Rejected(code="no_targets", reason=reason, path=at + "instance_ids")]
    return _rolling_combination(body, at)


def _rolling_combination(body: Mapping[str, object], at: str) -> list[Rejected]:
    given = [key for key in ROLLING if key in body]
    if not given:
        return []
    if "instance_ids" in body:
        why = "belongs to a rolling reboot of what a selector selects, not of named instances"
        return [_no(at + key, body[key], why, "contradiction") for key in given]
    if "limit" not in body or len(given) != 2:  # noqa: PLR2004 - limit and one of the others
        reason = "a rolling reboot takes limit and either since or older_than"
        return [Rejected(code="contradiction", reason=reason, path=at + given[0], value=plain(body[given[0]]))]
    return []


def _override(body: Mapping[str, object], at: str, *, by_hand: bool) -> list[Rejected]:
    if "override" not in body:
        return []
    if not by_hand:
        why = "is for a person who calls the function directly"
        return [_no(at + "override", body["override"], why, "override_not_allowed")]
    if body["override"] and not str(body.get("reason", "")).strip():
        return [_no(at + "reason", body.get("reason", ""), "must say why guards are overridden", "override_no_reason")]
    return []


def _no(path: str, value: object, why: str, code: Code) -> Rejected:
    return Rejected(code=code, reason=f"{path}: {quoted(value)} {why}", path=path, value=plain(value))


def _ids(value: object) -> _Complaints:
    if not isinstance(value, list):
        return [("", value, "is not a list of instance IDs")]
    if not value:
        return [("", value, "is empty: nothing to reboot")]
    if len(value) > MAX_IN_REQUEST:
        return [("", value, f"instance IDs are more than {MAX_IN_REQUEST}; split the request")]
    return []


def _boolean(value: object) -> _Complaints:
    return [] if isinstance(value, bool) else [("", value, "must be true or false, without quotation marks")]


def _text(value: object) -> _Complaints:
    return [] if isinstance(value, str) else [("", value, "is not a text")]


def _region(value: object) -> _Complaints:
    return [] if region.is_well_formed(value) else [("", value, "does not have the form of a region ID")]


def _limit(value: object) -> _Complaints:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_LIMIT
    return [] if fits else [("", value, f"is not a whole number from 1 to {MAX_LIMIT}")]


def _since(value: object) -> _Complaints:
    fits = isinstance(value, str) and utc_time.parse(value) is not None
    return [] if fits else [("", value, "is not a UTC time such as 2026-11-01T00:00Z")]


def _older_than(value: object) -> _Complaints:
    fits = isinstance(value, str) and _seconds(value) > 0
    return [] if fits else [("", value, "is not a length of time such as 30d, 12h or 90m")]


def _group(value: object) -> _Complaints:
    fits = isinstance(value, str) and _GROUP.fullmatch(value)
    return [] if fits else [("", value, "does not have the form of a resource group ID ('rg-…')")]


def _name(value: object) -> _Complaints:
    if not _is_word(value):
        return [("", value, f"is not a printable text of 1 to {MAX_WORD} characters")]
    return (
        [] if str(value).replace("*", "").strip() else [("", value, "selects everything: name at least one character")]
    )


def _tags(value: object) -> _Complaints:
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_TAGS:
        return [("", value, f"is not an object of 1 to {MAX_TAGS} tags")]
    return [
        (f".{plain(key)}", wanted, f"is not a tag: key and value are printable texts of 1 to {MAX_WORD} characters")
        for key, wanted in value.items()
        if not (_is_word(key) and _is_word(wanted))
    ]


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_WORD and value.isprintable() and not value.isspace()


def _codes(value: object) -> _Complaints:
    if not isinstance(value, list):
        return [("", value, "is not a list of guard codes")]
    from ecs_reboot.policy.guards import SOFT  # noqa: PLC0415 - few requests override a guard

    known = ", ".join(SOFT)
    return [
        (f"[{number}]", guard, f"can't be overridden; what can: {known}")
        for number, guard in enumerate(value)
        if guard not in SOFT
    ]


_FIELDS: dict[str, Callable[[object], _Complaints]] = {
    "instance_ids": _ids,
    "tags": _tags,
    "resource_group_id": _group,
    "name": _name,
    "region_id": _region,
    "reason": _text,
    "force": _boolean,
    "dry_run": _boolean,
    "override": _codes,
    "limit": _limit,
    "since": _since,
    "older_than": _older_than,
}
