"""Looking after the ledger: reset an instance, resume a region, and find out what became of unwatched reboots."""

from datetime import datetime, timedelta
from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.ledger.tags import LedgerStore
from ecs_reboot.model import Instance, LedgerCommand
from ecs_reboot.records.result import Result

#: A claim younger than this may belong to a run that is still watching.
STILL_WATCHED = timedelta(seconds=60)
#: So long after a claim an instance that is down stays down, and one that never restarted was never rebooted.
PATIENCE = timedelta(minutes=15)


def verdict(entry: Entry, instance: Instance, now: datetime) -> tuple[State, str, str] | None:
    """Say what became of a claimed reboot: new state, code, sentence; None where it is too early to tell."""
    age = now - entry.at
    if instance.status == "Running" and ledger.restarted(entry, instance.start_time):
        return "back", "recovered", f"claimed at {_at(entry.at)}, started anew at {_at(instance.start_time)}, Running"
    if age < PATIENCE:
        return None
    if instance.status == "Running":
        sentence = (
            f"claimed at {_at(entry.at)}, and it has not started anew since: the run that claimed it was cut off "
            "before ECS was asked, or ECS did nothing"
        )
        return "unproven", "unproven", sentence
    return "down", "stayed_down", f"claimed at {_at(entry.at)}, and it is {instance.status}; a person has to look"


class LedgerCommands:
    """Carries out requests about the ledger."""

    def __init__(self, ecs: EcsApi, deadline: Deadline, *, settle_seconds: float) -> None:
        self._ecs, self._deadline = ecs, deadline
        self._register = LedgerStore(ecs, deadline, settle_seconds)

    def run(self, request: LedgerCommand) -> list[Result]:
        """Return one result for each entry that was changed, or one that says that there was nothing to do."""
        try:
            results = {"reset": self._reset, "resume": self._resume, "verify": self._verify}[request.verb](request)
        except CloudError as error:
            api = {"api_code": error.code, "api_request_id": error.request_id} if isinstance(error, Refused) else {}
            reason = f"{request.verb} failed: {error}"
            named = request.instance_ids or ("",)
            return [result_of(request, one, error.outcome, reason, retriable=True, **api) for one in named]
        if not results and request.verb == "verify" and request.instance_ids:
            return []  # a change of state of an instance that we did not reboot: nothing of ours
        return results or [
            result_of(request, "", "nothing_to_do", f"{request.verb}: no entry in {request.region_id} to change")
        ]

    def _reset(self, request: LedgerCommand) -> list[Result]:
        """Clear attempts. The time of the last one stays, since the region's limit counts it."""
        found = {one.instance_id for one in self._describe(request, request.instance_ids)}
        changed = self._register.change(request.region_id, found, lambda _, text: self._cleared(text) if text else None)
        results = []
        for instance_id in request.instance_ids:
            if instance_id in changed:
                told = "reset", f"attempts cleared ({request.reason}); before: {changed[instance_id].before}"
            elif instance_id in found:
                told = "nothing_to_do", "the instance has no ledger entry"
            else:
                told = "not_found", f"no such instance in {request.region_id}"
            results.append(result_of(request, instance_id, *told))
        return results

    def _cleared(self, text: str) -> str:
        now = self._deadline.clock.now()
        try:
            return str(ledger.parse(text, now).model_copy(update={"state": "reset", "earlier": ()}))
        except ledger.Unreadable:
            return str(Entry(at=now, state="reset", force=False, claim="00000000"))

    def _resume(self, request: LedgerCommand) -> list[Result]:
        entries = self._entries(request.region_id)
        held = [one for one, entry in entries.items() if entry.state in ("down", "storm")]
        changed = self._register.change(request.region_id, held, lambda _, text: self._seen(text))
        return [
            result_of(request, one, "resumed", f"{entries[one].state} seen by a person ({request.reason})")
            for one in changed
        ]

    def _seen(self, text: str) -> str | None:
        entry = _read(text, self._deadline.clock.now())
        state = {"down": "seen", "storm": "refused"}.get(entry.state) if entry else None
        return str(entry.model_copy(update={"state": state})) if entry and state else None

    def _verify(self, request: LedgerCommand) -> list[Result]:
        told: dict[str, Result] = {}
        renewed: dict[str, tuple[str, str]] = {}
        for instance, entry in self._open(request):
            found = verdict(entry, instance, self._deadline.clock.now())
            if found is None:
                continue
            state, code, sentence = found
            one = instance.instance_id
            renewed[one] = str(entry), str(entry.model_copy(update={"state": state}))
            told[one] = result_of(request, one, code, sentence, force=entry.force, current_status=instance.status)
        # An entry that has changed meanwhile is another run's.
        changed = self._register.change(
            request.region_id, renewed, lambda one, text: renewed[one][1] if text == renewed[one][0] else None
        )
        return [told[one] for one in changed]

    def _open(self, request: LedgerCommand) -> list[tuple[Instance, Entry]]:
        """Return the claimed instances: of those named, or all of the region that nobody should still be watching."""
        now = self._deadline.clock.now()
        if request.instance_ids:
            found = self._describe(request, request.instance_ids)
            read = [(instance, _read(dict(instance.tags).get(ledger.KEY, ""), now)) for instance in found]
            return [(instance, entry) for instance, entry in read if entry and entry.state == "claimed"]
        claimed = {
            instance_id: entry
            for instance_id, entry in self._entries(request.region_id).items()
            if entry.state == "claimed" and now - entry.at >= STILL_WATCHED
        }
        return [(instance, claimed[instance.instance_id]) for instance in self._describe(request, tuple(claimed))]

    def _entries(self, region_id: str) -> dict[str, Entry]:
        now = self._deadline.clock.now()
        read = {one: _read(text, now) for one, text in self._register.read(region_id).entries.items()}
        return {one: entry for one, entry in read.items() if entry}

    def _describe(self, request: LedgerCommand, ids: tuple[str, ...]) -> list[Instance]:
        found: list[Instance] = []
        for batch in batches(ids):
            found += retry.call_idempotent(partial(self._ecs.describe, request.region_id, batch), self._deadline)
        return found


def _read(text: str, now: datetime) -> Entry | None:
    """Read an entry. One that can't be read refuses its own instance, with a record, until a person resets it."""
    try:
        return ledger.parse(text, now)
    except ledger.Unreadable:
        return None


def result_of(request: LedgerCommand, instance_id: str, code: str, reason: str, **more: object) -> Result:
    """Make the result of a request about the ledger."""
    return Result.model_validate(
        {
            "instance_id": instance_id,
            "region_id": request.region_id,
            "action": "skip",
            "code": code,
            "reason": reason,
            "trigger": request.trigger,
            "evidence": f"a request to {request.verb}",
            "requested_reason": request.reason,
            "event_time": request.event_time,
            **more,
        }
    )


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"
