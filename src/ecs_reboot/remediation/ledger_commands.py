"""Looking after the ledger: reset an instance, resume a region, and find out what became of unwatched reboots."""

from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.ledger.store import LedgerMaintenance
from ecs_reboot.model import Instance, LedgerCommand
from ecs_reboot.outcomes import Code
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import Patience, end_of


class LedgerCommands:
    """Carries out requests about the ledger."""

    def __init__(self, ecs: EcsApi, ledger: LedgerMaintenance, deadline: Deadline, patience: Patience) -> None:
        self._ecs, self._ledger, self._deadline, self._patience = ecs, ledger, deadline, patience

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
        found = {one.instance_id for one in self._describe(request, request.instance_ids)}
        cleared = self._ledger.reset(request.region_id, [one for one in request.instance_ids if one in found])
        results = []
        for instance_id in request.instance_ids:
            told: tuple[Code, str]
            if instance_id in cleared:
                told = "reset", f"attempts cleared ({request.reason}); before: {cleared[instance_id]}"
            elif instance_id in found:
                told = "nothing_to_do", "the instance has no ledger entry"
            else:
                told = "not_found", f"no such instance in {request.region_id}"
            results.append(result_of(request, instance_id, *told))
        return results

    def _resume(self, request: LedgerCommand) -> list[Result]:
        return [
            result_of(request, instance_id, "resumed", f"{what} seen by a person ({request.reason})")
            for instance_id, what in self._ledger.resume(request.region_id).items()
        ]

    def _verify(self, request: LedgerCommand) -> list[Result]:
        opened = {
            one.instance_id: one.entry for one in self._ledger.open_reboots(request.region_id, request.instance_ids)
        }
        now = self._deadline.clock.now()
        ends: dict[str, tuple[Entry, State]] = {}
        told: dict[str, Result] = {}
        for instance in self._describe(request, tuple(opened)):
            entry = opened[instance.instance_id]
            end = end_of(entry, instance, now, self._patience)
            if end is not None:
                ends[instance.instance_id] = entry, end.state
                told[instance.instance_id] = result_of(
                    request, instance.instance_id, end.code, end.reason,
                    force=entry.force, current_status=instance.status,
                )  # fmt: skip
        # An entry that has changed meanwhile is another run's.
        changed = self._ledger.conclude(request.region_id, ends) if ends else frozenset[str]()
        return [result for instance_id, result in told.items() if instance_id in changed]

    def _describe(self, request: LedgerCommand, ids: tuple[str, ...]) -> list[Instance]:
        found: list[Instance] = []
        for batch in batches(ids):
            found += retry.call_idempotent(partial(self._ecs.describe, request.region_id, batch), self._deadline)
        return found


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
