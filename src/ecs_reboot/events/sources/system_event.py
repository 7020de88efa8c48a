"""System events, whichever way they come: what CloudMonitor's and EventBridge's forms have in common.

The state is said in up to four places, the name's last part among them. An instance ID stands in the content under
one of several keys, and in the resource name. Both forms give the same fault key, so that a fault told twice is one.
"""

from collections.abc import Mapping

from ecs_reboot.events import event_time
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Field, Finding, Place, Refusal
from ecs_reboot.events.instance_id import parse_arn
from ecs_reboot.events.parsing import mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import LIFECYCLE, RECOVERY, StateWord, deciding, state
from ecs_reboot.events.system_event_catalog import look_up, qualified
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code

_ID_KEYS = ("instanceId", "ecsInstanceId")
_STATE_KEYS = ("eventStatus", "status", "state")
_PART_KEYS = ("diskId", "device", "resourceId")  # of a machine: one disk's end says nothing of another


class Notice(NamedTuple):
    """A system event in its sender's form: ``name`` without the sender's prefix, ``content`` about the resource."""

    kind: str
    name: Field
    content: Mapping[str, object]
    content_path: str
    resource: Field
    time: Field
    own_id: str
    status: Field = Field("", None)
    regions: tuple[Field, ...] = ()
    fallback_region: Field = Field("", None)
    foreign: Field | None = None


def finding(notice: Notice, rules: EventSettings) -> Finding:
    """Put together what a system event says."""
    base, states = _states(notice)
    firing = {word.word.casefold(): word for word in states if word.meaning == "firing"}
    status = next(iter(firing.values())).word if firing else ""
    entry = look_up(base, status)
    arn = parse_arn(notice.resource.value)
    place = _place(notice)
    event_id = text(notice.content.get("eventId"))
    instance = next((plain(field.value) for field in place.ids), "")
    resource = instance or plain(text(notice.resource.value))
    if event_id:
        fault_key = f"event:{event_id}:{status.casefold()}"
    elif notice.own_id:
        fault_key = f"event:{notice.own_id}"
    else:
        fault_key = f"event:{plain(notice.time.value)}:{base}:{resource}"
    name = plain(qualified(base, status) if status else base)
    return Finding(
        kind=notice.kind,
        evidence=f"system event '{name}' for {resource or 'no resource'}",
        states=states,
        places=(place,),
        fault_key=plain(fault_key),
        identity=plain(f"event:{event_id or _stem(base)}:{'' if event_id else _about(notice, resource)}"),
        time=notice.time if stated(notice.time.value) else None,
        notice=_notice(entry.verdict, entry.why, name, states),
        refusal=_refusal(entry.verdict, entry.why, base, status, rules),
        contradiction=_contradiction(firing),
        foreign=notice.foreign or (notice.resource if arn and arn.product not in ("ecs", "ebs") else None),
    )


#: Verdicts of the catalogue that need no look at the event's state.
_NOTICES: dict[str, Code] = {"echo": "echo", "information": "information"}


def _stem(base: str) -> str:
    """Return what the names of the beginning and the end have in common: `Agent_Status` of `Agent_Status_Stopped`."""
    stem, _, word = base.rpartition("_")
    return stem if stem and word.casefold() in LIFECYCLE | RECOVERY else base


def _about(notice: Notice, resource: str) -> str:
    parts = [plain(notice.content[key]) for key in _PART_KEYS if stated(notice.content.get(key))]
    return ":".join([resource, *parts])


def _notice(verdict: str, why: str, name: str, states: tuple[StateWord, ...]) -> Refusal | None:
    if code := _NOTICES.get(verdict):
        return Refusal(code, f"'{name}' is no fault: {why}")
    state = deciding(states)
    if state.meaning != "neither":
        return None
    said = f"{state.path} is '{state.word}', which is no state of a fault" if state.path else "no state is named"
    return Refusal("information", f"'{name}' is no fault: {said}")


def _refusal(verdict: str, why: str, base: str, status: str, rules: EventSettings) -> Refusal | None:
    if verdict != "switchable":
        return Refusal("not_actionable", why)
    name = qualified(base, status).casefold()
    if name in (actionable.casefold() for actionable in rules.actionable_events):
        return None
    return Refusal("not_actionable", f"{why}; it is off unless ACTIONABLE_EVENTS names {qualified(base, status)}")


def _contradiction(firing: dict[str, StateWord]) -> Field | None:
    if len(firing) < 2:  # noqa: PLR2004 - two words contradict each other
        return None
    last = list(firing.values())[-1]
    return Field(last.path, last.word)


def _states(notice: Notice) -> tuple[str, tuple[StateWord, ...]]:
    """Split the status off the name, and collect every current state word."""
    base, word = _split(plain(text(notice.name.value)))
    states = state(notice.name.path, word, LIFECYCLE)
    states += state(notice.status.path, notice.status.value, LIFECYCLE)
    for key in _STATE_KEYS:
        states += state(f"{notice.content_path}.{key}", notice.content.get(key), LIFECYCLE)
    finish = notice.content.get("executeFinishTime")
    if event_time.ended(finish):
        states.append(StateWord(f"{notice.content_path}.executeFinishTime", plain(finish), "recovery"))
    return base, tuple(states)


def _split(name: str) -> tuple[str, str]:
    for mark in (":", "_"):
        base, _, word = name.rpartition(mark)
        if base and word.casefold() in LIFECYCLE | RECOVERY:
            # The agent's events are catalogued under their whole name.
            return (base if mark == ":" else name), word
    return name, ""


def _place(notice: Notice) -> Place:
    content, at = notice.content, notice.content_path
    ids = [Field(f"{at}.{key}", content[key]) for key in _ID_KEYS if stated(content.get(key))]
    extra = mapping(content.get("extraAttributes")).get("EcsInstanceId")
    if stated(extra):
        ids.append(Field(f"{at}.extraAttributes.EcsInstanceId", extra))
    if _names_instance(content):
        ids.append(Field(f"{at}.resourceId", content["resourceId"]))
    regions = [field for field in notice.regions if stated(field.value)]
    arn = parse_arn(notice.resource.value)
    if arn and arn.instance_id is not None:
        ids.append(Field(notice.resource.path, arn.instance_id))
    elif not arn and isinstance(notice.resource.value, str) and notice.resource.value.startswith("i-"):
        ids.append(notice.resource)
    if arn and stated(arn.region):
        regions.append(Field(notice.resource.path, arn.region))
    if not regions and stated(notice.fallback_region.value):
        regions.append(notice.fallback_region)
    return Place(tuple(ids), tuple(regions))


def _names_instance(content: Mapping[str, object]) -> bool:
    """Return whether content.resourceId is an instance's: it may as well be a disk's."""
    resource = content.get("resourceId")
    if not stated(resource):
        return False
    kind = text(content.get("resourceType"))
    if kind:
        return kind.casefold().rpartition("::")[2] == "instance"
    return isinstance(resource, str) and resource.startswith("i-")
