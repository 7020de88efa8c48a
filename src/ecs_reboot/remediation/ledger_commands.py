"""Looking after the ledger: reset an instance, resume a region, and find out what became of unwatched reboots."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.facts.agent import listen
from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, State
from ecs_reboot.ledger.store import LedgerMaintenance, OpenReboot
from ecs_reboot.model import Instance, InstanceAnswer, LedgerCommand, RebootRequest, Target
from ecs_reboot.outcomes import BY_CODE, TO_TELL, Code, of_service
from ecs_reboot.policy.facts import Policy
from ecs_reboot.policy.findings import Agent
from ecs_reboot.policy.hung import hung_after
from ecs_reboot.policy.trigger_kinds import FINISH
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import told_late, transition
from ecs_reboot.remediation.protection import Protection
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger

#: Instances that a record names whose entries were removed.
MOST_NAMED = 10


class LedgerCommands:
    """Carries out requests about the ledger."""

    def __init__(
        self, ecs: EcsApi, ledger: LedgerMaintenance, deadline: Deadline, policy: Policy, *, holds: timedelta
    ) -> None:
        """Take ``holds`` as the time after which a run that claimed something is over for certain."""
        self._ecs, self._ledger, self._deadline, self._policy = ecs, ledger, deadline, policy
        self._holds = holds
        self._finishes = policy.force_reboot == "escalate"
        self._hanging: dict[LedgerCommand, list[str]] = {}
        #: By region, the verdicts and storms in the ledger of which a person is to be told.
        self.to_tell: dict[str, dict[str, State]] = {}

    def run(self, request: LedgerCommand) -> list[Result]:
        """Return one result for each entry that was changed, or one that says that there was nothing to do."""
        try:
            results = {"reset": self._reset, "resume": self._resume, "verify": self._verify}[request.verb](request)
        except CloudError as error:
            api = {"api_code": error.code, "api_request_id": error.request_id} if isinstance(error, Refused) else {}
            reason = f"{request.verb} failed: {error}"
            named = request.instance_ids or ("",)
            return [
                result_of(request, instance_id, error.outcome, reason, retriable=True, **api) for instance_id in named
            ]
        if not results and request.verb == "verify" and request.instance_ids:
            return []  # a change of state of an instance that we did not reboot: nothing of ours
        return results or [
            result_of(request, "", "nothing_to_do", f"{request.verb}: no entry in {request.region_id} to change")
        ]

    def _reset(self, request: LedgerCommand) -> list[Result]:
        found = {instance.instance_id for instance in self._describe(request, request.instance_ids)}
        cleared = self._ledger.reset(
            request.region_id, [instance_id for instance_id in request.instance_ids if instance_id in found]
        )
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
        found = self._ledger.open_reboots(request.region_id, request.instance_ids)
        opened = {
            candidate.instance_id: candidate.entry
            for candidate in found
            if candidate.entry.state in (*OPEN, *UNRESOLVED)
        }
        now = self._deadline.clock.now()
        ends: dict[str, tuple[Entry, State]] = {}
        told: dict[str, Result] = {}
        due: dict[str, Entry] = {}
        observing = self._policy.mode == "observe"
        looks = {}
        for instance in self._describe(request, tuple(opened)):
            patience = Patience(
                self._holds, hung_after(instance, self._policy), observing=observing, finishes=self._finishes
            )
            looks[instance.instance_id] = Swept(instance, patience)
        reboots = {instance_id: from_ledger(opened[instance_id]) for instance_id in looks}
        up = [
            look.instance
            for instance_id, look in looks.items()
            if transition(reboots[instance_id], look, now).code == "recovered"
        ]
        agents = self._agents(request, up)
        for instance_id, look in looks.items():
            instance, entry = look.instance, opened[instance_id]
            step = transition(reboots[instance_id], look._replace(agent=agents.get(instance_id)), now)
            if step.code:
                ends[instance_id] = entry, step.state
                told[instance_id] = result_of(
                    request, instance_id, step.code, step.reason, force=entry.force, current_status=instance.status
                )
            if step.do == "start":
                due[instance_id] = entry
            elif step.do == "finish":
                self._hanging.setdefault(request, []).append(instance_id)
        for instance_id, (state, result) in self._start(request, due).items():
            told[instance_id] = result
            if state:
                ends[instance_id] = due[instance_id], state
        for instance_id, error in self._unprotected(request, ends).items():
            # The reboot stays open, so that the next sweep tries again.
            group = ends.pop(instance_id)[0].protects
            reason = f"its protection in scaling group {group} is still to be taken back: {error}"
            told[instance_id] = result_of(request, instance_id, error.outcome, reason, retriable=True)
        # An entry that has changed meanwhile is another run's.
        changed = self._concluded(request, ends, told, found)
        results = [result for instance_id, result in told.items() if instance_id in changed or instance_id not in ends]
        return results if request.instance_ids else results + self._forget(request)

    def _concluded(
        self,
        request: LedgerCommand,
        ends: Mapping[str, tuple[Entry, State]],
        told: dict[str, Result],
        found: Sequence[OpenReboot],
    ) -> frozenset[str]:
        """Write verdicts; add to ``told`` those, and storms, that stand and nobody was told of, whose run is over."""
        untold = {
            instance_id: state
            for instance_id, (_, state) in ends.items()
            if TO_TELL.get(state) == told[instance_id].code
        }
        changed = self._ledger.conclude(request.region_id, ends, untold) if ends else frozenset[str]()
        to_tell = {instance_id: state for instance_id, state in untold.items() if instance_id in changed}
        now = self._deadline.clock.now()
        for instance_id, entry, since in found:
            if since and now - since > self._holds and instance_id not in told:
                to_tell[instance_id] = entry.state
                code, reason = told_late(entry)
                about = "" if BY_CODE[code].about == "region" else instance_id
                told[instance_id] = result_of(request, about, code, reason, force=entry.force)
        self.to_tell.setdefault(request.region_id, {}).update(to_tell)
        return changed

    def _forget(self, request: LedgerCommand) -> list[Result]:
        """Remove entries that no longer matter. That this fails changes nothing: the next sweep tries again."""
        try:
            gone = sorted(self._ledger.forget(request.region_id))
        except CloudError as error:
            reason = f"entries that no longer matter could not be removed; the next sweep tries again: {error}"
            return [result_of(request, "", "forgotten", reason)]
        if not gone:
            return []
        named = ", ".join(gone[:MOST_NAMED]) + (" and others" if len(gone) > MOST_NAMED else "")
        return [result_of(request, "", "forgotten", f"{len(gone)} entries that no longer matter removed: {named}")]

    def to_finish(self) -> list[RebootRequest]:
        """Return requests to finish by force the hung reboots that were found; none where policy forbids it."""
        if not self._finishes:
            return []
        return [
            RebootRequest(
                trigger=f"{request.trigger}>{FINISH}",
                evidence="a graceful reboot of ours hangs",
                targets=tuple(Target(instance_id=instance_id, region_id=request.region_id) for instance_id in hanging),
            )
            for request, hanging in self._hanging.items()
        ]

    def _unprotected(self, request: LedgerCommand, ends: Mapping[str, tuple[Entry, State]]) -> dict[str, CloudError]:
        """Take back protections before ends are written; return where that failed. What is down stays protected."""
        groups = {
            instance_id: entry.protects
            for instance_id, (entry, state) in ends.items()
            if entry.protects and state not in (*OPEN, *UNRESOLVED)
        }
        if not groups:
            return {}
        try:
            held = self._ledger.hold(request.region_id, groups)
        except CloudError as error:
            return dict.fromkeys(groups, error)
        # Whoever has changed the others meanwhile has taken the duty over: their ends will not be written.
        return Protection(self._ecs, self._deadline).lift(
            request.region_id, {instance_id: groups[instance_id] for instance_id in groups if instance_id in held}
        )

    def _agents(self, request: LedgerCommand, instances: list[Instance]) -> dict[str, Agent]:
        """Ask whether the guests speak again, where signs of life are asked for at all (RESPONSIVE)."""
        if not instances or self._policy.responsive == "off":
            return {}
        ids = [instance.instance_id for instance in instances]
        return listen(self._ecs, request.region_id, ids, self._deadline.left() / 2)

    def _start(self, request: LedgerCommand, due: Mapping[str, Entry]) -> dict[str, tuple[State | None, Result]]:
        """Start what was stopped to finish its reboot; for each the new state, None where it is still due."""
        started: dict[str, tuple[State | None, Result]] = {}
        for batch in batches(due):
            try:
                answer = retry.call_idempotent(partial(self._ecs.start, request.region_id, batch), self._deadline)
            except CloudError as error:
                reason = f"it was stopped to finish its reboot, and the start that is due failed: {error}"
                started |= {
                    instance_id: (None, result_of(request, instance_id, error.outcome, reason, retriable=True))
                    for instance_id in batch
                }
                continue
            for row in answer.instances:
                if row.instance_id in due:
                    started[row.instance_id] = _started(request, row, due[row.instance_id])
        return started

    def _describe(self, request: LedgerCommand, ids: tuple[str, ...]) -> list[Instance]:
        found: list[Instance] = []
        for batch in batches(ids):
            found += retry.call_idempotent(partial(self._ecs.describe, request.region_id, batch), self._deadline)
        return found


def _started(request: LedgerCommand, row: InstanceAnswer, entry: Entry) -> tuple[State | None, Result]:
    code = of_service(row.code)
    api = {"api_code": row.code, "api_message": row.message, "current_status": row.current_status, "force": entry.force}
    # In another status than Stopped it is on its way up, or somebody else has started it.
    if row.code == "200" or code == "IncorrectInstanceStatus":
        reason = f"it was stopped to finish its reboot ({entry}), and ECS was asked to start it"
        return "accepted", result_of(request, row.instance_id, "started", reason, **api)
    reason = f"it was stopped to finish its reboot, and ECS refused to start it: {row.code}: {row.message}"
    if BY_CODE[code].retriable:
        return None, result_of(request, row.instance_id, code, reason, retriable=True, **api)
    return "down", result_of(request, row.instance_id, "stayed_down", reason, **api)


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
