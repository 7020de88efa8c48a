"""The life of one reboot as a pure machine: where it stands, what was just seen, and the time give what to do next.

```
 claimed --Asked--> asked --200----------------> accepted --+--> back
    ^                 |                             ^       +--> down, hung --(Running again)--> back
    |                 '--500, no answer--> in_doubt-'       |     '--(graceful, escalate)--> finishing
    '-- throttled, not sent                  |    a sign    '--> unproven
                                             '-- no sign, and it was a 503: asked again
```

One run takes a reboot from `claimed` to `accepted`, and may watch it. Later runs take it from the ledger and look
(``Swept``): a claim of a run that ended before it asked is `void`, and `start_due` is paid by starting what is Stopped.
It is on record before a stop is asked for, so that a start is owed whatever crashes, and is paid as often as it takes,
since a second start of the same instance does nothing.

ECS is asked only where ``Reboot.may_ask`` says so. After a call whose effect nobody knows it does not, until a look
shows no sign of the reboot and the answer was that ECS is unavailable.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from ecs_reboot.cloud import retry
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.model import Instance
from ecs_reboot.outcomes import BY_CODE, TO_TELL, Code, of_service
from ecs_reboot.policy.findings import Agent
from ecs_reboot.policy.hung import is_left_unfinished, is_ours_to_finish
from ecs_reboot.remediation.reboot_state import (
    CLAIMED,
    Answered,
    Asked,
    DecidedAgain,
    Ended,
    Failed,
    Heard,
    Looked,
    Reboot,
    Seen,
    Step,
    Swept,
    TimeUp,
    Watched,
)

#: An agent that is there speaks about once a minute: this long after the start its silence says something.
SPEAKS_WITHIN = timedelta(minutes=4)


class AskedTwice(Exception):
    """ECS would be asked for a reboot that an earlier call may have led to: a mistake in this program."""


def transition(reboot: Reboot, seen: Seen, now: datetime) -> Step:
    """Return the next step of a reboot. Raises AskedTwice."""
    return _TRANSITIONS[type(seen)](reboot, seen, now)


def told_late(entry: Entry) -> tuple[Code, str]:
    """Return what is to be said of a verdict, or of a storm, whose run ended before it said so."""
    code = TO_TELL[entry.state]
    since = f"seen at {_at(entry.at)}" if entry.state == "storm" else _claimed(entry)
    return code, f"{since}; {BY_CODE[code].meaning}; the run that saw it ended before it said so"


def _asked(reboot: Reboot, seen: Asked, _now: datetime) -> Step:
    if not reboot.may_ask:
        raise AskedTwice(f"a reboot that is {reboot.state} may not be asked for")
    # Asking again settles nothing about the earlier call.
    stays = reboot.state == "in_doubt"
    return Step(reboot._replace(may_ask=False) if stays else Reboot("asked", before=seen.instance), "wait")


def _answered(reboot: Reboot, seen: Answered, _now: datetime) -> Step:
    row = seen.row
    if row is None:
        return _lost(reboot, NoAnswer("RebootInstances", f"answer {seen.request_id} does not name the instance"))
    if row.code == "200":
        return _accepted(reboot, "ECS accepted the reboot")
    code = of_service(row.code)
    # ECS may refuse it because of what an earlier call, whose answer was lost, has set going.
    if BY_CODE[code].may_have_acted or reboot.state == "in_doubt":
        failed = Refused("RebootInstances", code=row.code, message=row.message, status=500, request_id=seen.request_id)
        return _lost(reboot, failed)
    return _closed(reboot, code, f"ECS refused: {row.code}: {row.message}", retriable=BY_CODE[code].retriable)


def _failed(reboot: Reboot, seen: Failed, _now: datetime) -> Step:
    error = seen.error
    unsettled = isinstance(error, NoAnswer) or (isinstance(error, Refused) and error.unsettled)
    if unsettled and not seen.dry_run:
        return _lost(reboot, error, "glance" if _once_more(error, room=seen.room) else "look")
    # Nothing came of this call; of an earlier one something may have come all the same.
    stands = reboot if reboot.state == "in_doubt" else CLAIMED
    if retry.may_pass(error):
        return Step(stands._replace(may_ask=True), "ask")
    if seen.ambiguous and BY_CODE[error.outcome].refuses_call:
        return Step(stands._replace(may_ask=True), "decide")
    # A dry run has told what was asked: there is nothing to try again, unless nobody could look.
    about_us = isinstance(error, Refused) and error.about_the_caller
    later = BY_CODE[error.outcome].retriable and (about_us or not seen.dry_run)
    return _closed(stands, error.outcome, f"ECS refused: {error}", retriable=later)


def _looked(reboot: Reboot, seen: Looked, _now: datetime) -> Step:
    lost = reboot.lost
    sign = _sign(reboot.before, seen.instance)
    if sign:
        return _accepted(reboot, f"the answer was lost ({lost}), but {sign}")
    if seen.instance and _once_more(lost, room=seen.room):
        return Step(reboot._replace(may_ask=True), "ask")
    if not seen.last or lost is None:
        return Step(reboot, "look")
    if not isinstance(lost, Refused):
        reason = f"the answer was lost ({lost}) and nothing shows whether the instance reboots"
        return _closed(reboot, lost.outcome, reason)
    # ECS said that it failed, and a look late enough shows that it did.
    settled = CLAIMED if seen.instance else reboot
    reason = f"ECS failed ({lost}) and nothing shows that the instance reboots"
    return _closed(settled, lost.outcome, reason, retriable=True)


def _decided_again(reboot: Reboot, seen: DecidedAgain, _now: datetime) -> Step:
    sign = _sign(reboot.before, seen.instance)
    if sign:
        return _accepted(reboot, f"an earlier answer was lost, but {sign}")
    if seen.decision.action == "skip":
        return _closed(reboot, seen.decision.code, seen.decision.reason)
    elsewhere = _started(seen.known, seen.instance)
    if elsewhere:
        reason = f"{elsewhere} while this run was waiting: somebody else has rebooted it"
        return _closed(reboot, "recently_started", reason)
    return Step(reboot, "ask" if reboot.may_ask else "look")


def _given_up(reboot: Reboot, seen: Ended, _now: datetime) -> Step:
    return _closed(reboot, seen.code, seen.reason, retriable=True)


def _watched(reboot: Reboot, seen: Watched, now: datetime) -> Step:
    after, watched = seen.instance, reboot.watched
    moved = _moved(reboot.before, after)
    went_down = watched.went_down or moved or after.status != "Running"
    if not went_down or after.status != "Running":
        down = now if after.status != "Running" else watched.since
        return _watching(reboot, went_down=went_down, up_since=None, status=after.status, back_at=None, since=down)
    up_since = watched.up_since or now
    # ECS gives start times in whole minutes.
    since = watched.since or (after.start_time if moved else None)
    # What one look shows may be older than what the look before showed, so a start time or a second look must confirm.
    back_at = up_since if moved or watched.up_since else None
    return _watching(reboot, went_down=went_down, up_since=up_since, status=after.status, back_at=back_at, since=since)


def _heard(reboot: Reboot, seen: Heard, _now: datetime) -> Step:
    heartbeat, since = seen.agent.heartbeat, reboot.watched.since
    spoke = heartbeat is not None and since is not None and heartbeat >= since
    return _watching(reboot, silent=reboot.watched.silent and not spoke)


def _time_up(reboot: Reboot, seen: TimeUp, now: datetime) -> Step:
    watched, seconds = reboot.watched, (now - seen.accepted).total_seconds()
    if watched.back_at and watched.silent:
        silent = now - watched.back_at
        reason = f"it is Running again, and its agent has not spoken in the {silent.total_seconds():.0f} s since"
        if silent >= SPEAKS_WITHIN:
            return _end(reboot, "back", "running_silent", reason)
        return _end(reboot, "accepted", "still_rebooting", reason)
    if watched.back_at:
        downtime = round((watched.back_at - seen.accepted).total_seconds(), 1)
        reason = f"it went down and was Running again {downtime:g} s after ECS accepted"
        return _end(reboot, "back", "recovered", reason)
    if not watched.went_down:
        reason = f"in {seconds:.0f} s of watching nothing showed that it went down"
        return _end(reboot, "accepted", "unproven", reason)
    if watched.status == "Stopped":
        return _end(reboot, "down", "stayed_down", f"it is Stopped, {seconds:.0f} s after ECS accepted")
    reason = f"it is still {watched.status}, {seconds:.0f} s after ECS accepted"
    return _end(reboot, "accepted", "still_rebooting", reason)


def _swept(reboot: Reboot, seen: Swept, now: datetime) -> Step:
    entry = reboot.entry
    if entry is None:
        raise ValueError("a reboot is swept that was not read from the ledger: use from_ledger")
    if seen.patience.observing:
        return _observed(entry, reboot, seen, now)
    if seen.instance.status != "Running":
        return _down(entry, reboot, seen, now)
    return _speaking(_up(entry, reboot, seen, now), seen.instance, seen.agent, now)


def _observed(entry: Entry, reboot: Reboot, seen: Swept, now: datetime) -> Step:
    """Return the end of a claim upon which nobody asked ECS, once its run is over."""
    if now - entry.at < seen.patience.holds:
        return Step(reboot, "wait")
    reason = "by a function that observes: nothing was restarted, so nothing is waited for"
    return _end(reboot, "back", "nothing_to_do", f"{_claimed(entry)} {reason}")


def _up(entry: Entry, reboot: Reboot, seen: Swept, now: datetime) -> Step:
    instance, claimed = seen.instance, _claimed(entry)
    if ledger.restarted(entry, instance.start_time):
        return _end(reboot, "back", "recovered", f"{claimed}, restarted at {_at(instance.start_time)}, Running")
    if entry.state in (*ledger.UNRESOLVED, ledger.START_DUE):
        return _end(reboot, "back", "recovered", f"{claimed}, was {entry.state}, Running again")
    if ledger.never_asked(entry, instance, now, seen.patience.holds):
        reason = f"{claimed}, and not restarted since: the run that claimed it ended before it asked ECS"
        return _end(reboot, "void", "unproven", reason)
    if now - entry.at >= seen.patience.hung_after:
        return _end(reboot, "unproven", "unproven", f"{claimed}, and nothing shows that it was restarted since")
    return Step(reboot, "wait")


def _speaking(step: Step, instance: Instance, agent: Agent | None, now: datetime) -> Step:
    """Return the step in the light of the guest: an agent that spoke before must have spoken since the restart.

    ECS gives start times in whole minutes, so a heartbeat of that minute counts.
    """
    start = instance.start_time
    if step.code != "recovered" or start is None or agent is None or agent.heartbeat is None:
        return step
    if agent.heartbeat >= start:
        return step
    if now - start < SPEAKS_WITHIN:
        return Step(step.reboot._replace(state="accepted"), "wait")
    reason = f"{step.reason}, but its agent last spoke at {_at(agent.heartbeat)}: the guest may not have come up"
    return _end(step.reboot, "back", "running_silent", reason)


def _down(entry: Entry, reboot: Reboot, seen: Swept, now: datetime) -> Step:
    instance, claimed = seen.instance, _claimed(entry)
    if entry.state == ledger.START_DUE and instance.status == "Stopped":
        return Step(reboot, "start")
    finish: Literal["finish", "wait"] = "finish" if is_ours_to_finish(entry, instance) else "wait"
    if entry.state in ledger.UNRESOLVED:
        return Step(reboot, finish if entry.state == "hung" else "wait")
    patience = seen.patience
    if patience.finishes and is_left_unfinished(entry, instance, now, patience.holds):
        return Step(reboot, "finish")
    # While its run may still be about to ask ECS, nothing is said that would keep a retry of it from asking.
    limit = max(patience.hung_after, patience.holds) if entry.state == "finishing" else patience.hung_after
    if now - entry.at < limit:
        return Step(reboot, "wait")
    if instance.status == "Stopped":
        reason = f"{claimed}, and it is Stopped; manual investigation required"
        return _end(reboot, "down", "stayed_down", reason, "wait")
    reason = f"{claimed}, and it is still {instance.status or 'in no known status'}"
    if entry.state == ledger.START_DUE:
        reason += "; it was stopped by force and does not stop: once it is Stopped, start it by hand"
    return _end(reboot, "hung", "hung", reason, finish)


def _end(reboot: Reboot, state: State, code: Code, reason: str, do: Literal["finish", "wait", "rest"] = "rest") -> Step:
    return Step(reboot._replace(state=state), do, code, reason)


def _accepted(reboot: Reboot, reason: str) -> Step:
    return Step(reboot._replace(state="accepted", may_ask=False), "rest", "accepted", reason)


def _lost(reboot: Reboot, error: CloudError, do: Literal["glance", "look"] = "look") -> Step:
    return Step(reboot._replace(state="in_doubt", may_ask=False, lost=error), do)


def _closed(reboot: Reboot, code: Code, reason: str, *, retriable: bool = False) -> Step:
    """End without a reboot; one that an earlier call may have led to keeps its claim, and a retry looks once more."""
    if reboot.state == "in_doubt":
        reason = f"ECS may be rebooting it, so only a retry that sees no sign asks again: {reason}"
        return Step(reboot._replace(may_ask=False), "rest", "accepted_unconfirmed", reason, retriable=True)
    return Step(reboot._replace(state="refused", may_ask=False), "rest", code, reason, retriable)


def _once_more(lost: CloudError | None, *, room: bool) -> bool:
    """Return whether ECS may be asked again after a look that shows no sign: it said that it is unavailable."""
    return room and isinstance(lost, Refused) and lost.status == 503  # noqa: PLR2004 - Unavailable


def _watching(reboot: Reboot, **seen: Any) -> Step:
    watched = reboot.watched._replace(**seen)
    return Step(reboot._replace(watched=watched), "rest" if watched.is_over else "look")


def _sign(before: Instance | None, after: Instance | None) -> str:
    """Say what shows that the instance went down after it was last seen Running; '' where nothing does."""
    if before is None or after is None:
        return ""
    if after.status != "Running":
        return f"describing again shows it {after.status}"
    return _started(before, after)


def _started(before: Instance | None, after: Instance | None) -> str:
    """Say that the instance has started since it was looked at before; '' where nothing shows that."""
    if after and after.start_time and _moved(before, after):
        return f"describing again shows that it started again at {after.start_time:%Y-%m-%dT%H:%MZ}"
    return ""


def _moved(before: Instance | None, after: Instance) -> bool:
    return bool(before and before.start_time and after.start_time and after.start_time > before.start_time)


def _claimed(entry: Entry) -> str:
    return f"claimed at {_at(entry.at)}{' to be rebooted by force' if entry.force else ''}"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"


_TRANSITIONS: dict[type, Callable[[Reboot, Any, datetime], Step]] = {
    Asked: _asked,
    Answered: _answered,
    Failed: _failed,
    Looked: _looked,
    DecidedAgain: _decided_again,
    Ended: _given_up,
    Watched: _watched,
    Heard: _heard,
    TimeUp: _time_up,
    Swept: _swept,
}
