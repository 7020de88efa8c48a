"""Looking after the ledger: reset an instance, resume a region, and find out what became of unwatched reboots."""

from datetime import datetime, timedelta

from ecs_reboot import ledger, retry
from ecs_reboot.clock import Deadline
from ecs_reboot.ecs_api import EcsApi
from ecs_reboot.errors import CloudError, Refused
from ecs_reboot.ledger import Entry, State
from ecs_reboot.model import Instance, Upkeep
from ecs_reboot.records import Result

#: DescribeInstances takes at most 100 IDs.
BATCH = 100
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


class LedgerUpkeep:
    """Carries out requests about the ledger."""

    def __init__(self, ecs: EcsApi, deadline: Deadline) -> None:
        self._ecs, self._deadline = ecs, deadline

    def run(self, request: Upkeep) -> list[Result]:
        """Return one result for each entry that was changed, or one that says that there was nothing to do."""
        try:
            results = {"reset": self._reset, "resume": self._resume, "verify": self._verify}[request.verb](request)
        except CloudError as error:
            api = {"api_code": error.code, "api_request_id": error.request_id} if isinstance(error, Refused) else {}
            return [_result(request, "", error.code, f"{request.verb} failed: {error}", retriable=True, **api)]
        if not results and request.verb == "verify" and request.instance_ids:
            return []  # a change of state of an instance that we did not reboot: nothing of ours
        return results or [
            _result(request, "", "nothing_to_do", f"{request.verb}: no entry in {request.region_id} to change")
        ]

    def _reset(self, request: Upkeep) -> list[Result]:
        """Clear attempts. The time of the last one stays, since the region's limit counts it."""
        found = {one.instance_id: one for one in self._describe(request, request.instance_ids)}
        results = []
        for instance_id in request.instance_ids:
            if instance_id not in found:
                results.append(_result(request, instance_id, "not_found", f"no such instance in {request.region_id}"))
                continue
            before = dict(found[instance_id].tags).get(ledger.KEY, "")
            if not before:
                results.append(_result(request, instance_id, "nothing_to_do", "the instance has no ledger entry"))
                continue
            self._write(request.region_id, instance_id, self._cleared(before))
            results.append(
                _result(request, instance_id, "reset", f"attempts cleared ({request.reason}); before: {before}")
            )
        return results

    def _cleared(self, text: str) -> Entry:
        now = self._deadline.clock.now()
        try:
            return ledger.parse(text, now).model_copy(update={"state": "reset", "earlier": ()})
        except ledger.Unreadable:
            return Entry(at=now, state="reset", force=False, claim="00000000")

    def _resume(self, request: Upkeep) -> list[Result]:
        results = []
        for instance_id, entry in self._entries(request.region_id):
            state = {"down": "seen", "storm": "refused"}.get(entry.state)
            if state is None:
                continue
            self._write(request.region_id, instance_id, entry.model_copy(update={"state": state}))
            results.append(
                _result(request, instance_id, "resumed", f"{entry.state} seen by a person ({request.reason})")
            )
        return results

    def _verify(self, request: Upkeep) -> list[Result]:
        results = []
        for instance, entry in self._open(request):
            told = verdict(entry, instance, self._deadline.clock.now())
            if told is None:
                continue
            state, code, sentence = told
            self._write(request.region_id, instance.instance_id, entry.model_copy(update={"state": state}))
            results.append(
                _result(
                    request, instance.instance_id, code, sentence, force=entry.force, current_status=instance.status
                )
            )
        return results

    def _open(self, request: Upkeep) -> list[tuple[Instance, Entry]]:
        """Return the claimed instances: of those named, or all of the region that nobody should still be watching."""
        if request.instance_ids:
            found = self._describe(request, request.instance_ids)
            read = [(instance, _readable(instance, self._deadline.clock.now())) for instance in found]
            return [(instance, entry) for instance, entry in read if entry and entry.state == "claimed"]
        now = self._deadline.clock.now()
        claimed = {
            instance_id: entry
            for instance_id, entry in self._entries(request.region_id)
            if entry.state == "claimed" and now - entry.at >= STILL_WATCHED
        }
        return [(instance, claimed[instance.instance_id]) for instance in self._describe(request, tuple(claimed))]

    def _entries(self, region_id: str) -> list[tuple[str, Entry]]:
        now = self._deadline.clock.now()
        read = []
        for instance_id, text in retry.read(lambda: list(self._ecs.entries(region_id, ledger.KEY)), self._deadline):
            try:
                read.append((instance_id, ledger.parse(text, now)))
            except ledger.Unreadable:
                continue  # see `_readable`
        return read

    def _describe(self, request: Upkeep, ids: tuple[str, ...]) -> list[Instance]:
        found: list[Instance] = []
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            found += retry.read(lambda part=part: self._ecs.describe(request.region_id, part), self._deadline)  # type: ignore[misc]
        return found

    def _write(self, region_id: str, instance_id: str, entry: Entry) -> None:
        retry.read(lambda: self._ecs.remember(region_id, (instance_id,), ledger.KEY, str(entry)), self._deadline)


def _readable(instance: Instance, now: datetime) -> Entry | None:
    try:
        return ledger.of(instance, now)
    except ledger.Unreadable:
        return None  # it refuses its own instance, with a record, until a person resets it


def _result(request: Upkeep, instance_id: str, code: str, reason: str, **more: object) -> Result:
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
