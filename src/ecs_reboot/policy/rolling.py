"""A rolling reboot: which few of many instances are next. Pure, and without memory of its own.

What is done shows in start times, what is under way and what failed in the ledger; so every tick converges from what
is there, whatever became of the ticks before.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, Rolling, Value


class Progress(Value):
    """Instance IDs by what a rolling reboot has yet to do with them; ``left`` are still to come."""

    done: tuple[str, ...]
    under_way: tuple[str, ...]
    failed: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.done)} done, {len(self.under_way)} under way, {len(self.failed)} failed, {len(self.left)} left"
        )


def progress(instances: Iterable[Instance], rolling: Rolling, now: datetime) -> Progress:
    """Sort the selected instances. `under_way`: claimed and not up again; `failed`: rebooted and stayed down."""
    done, under_way, failed, left = [], [], [], []
    for instance in sorted(instances, key=lambda one: one.instance_id):
        try:
            entry = ledger.of(instance, now)
        except ledger.Unreadable:
            entry = None
        up_again = instance.status == "Running" and entry is not None and ledger.restarted(entry, instance.start_time)
        if _is_done(instance, rolling, now):
            done.append(instance.instance_id)
        elif entry and (entry.state == "down" or (entry.state == "claimed" and instance.status == "Stopped")):
            failed.append(instance.instance_id)
        elif entry and entry.state == "claimed" and not up_again and not _expired(entry, now):
            under_way.append(instance.instance_id)
        elif instance.status == "Running":
            left.append(instance.instance_id)
    return Progress(done=tuple(done), under_way=tuple(under_way), failed=tuple(failed), left=tuple(left))


def reason_to_wait(made: Progress) -> str:
    """Return the sentence that says why nothing is to be rebooted at this tick, '' where the next may go."""
    if made.failed:
        return f"stopped: {', '.join(made.failed[:5])} stayed down after a reboot; a person has to look ({made})"
    if made.under_way:
        return f"waiting: {', '.join(made.under_way[:5])} is not back yet ({made})"
    return "" if made.left else f"nothing left to do ({made})"


#: A claim this old that led to no restart is a run that was cut off: it holds a rolling reboot up no longer.
_CUT_OFF = timedelta(hours=1)


def _expired(entry: ledger.Entry, now: datetime) -> bool:
    return now - entry.at > _CUT_OFF


def _is_done(instance: Instance, rolling: Rolling, now: datetime) -> bool:
    if instance.start_time is None or instance.status != "Running":
        return False
    if rolling.since is not None:
        return instance.start_time >= rolling.since
    return (now - instance.start_time).total_seconds() < rolling.older_than_seconds
