"""A rolling reboot: which few of many instances are next. Pure, and without memory of its own.

What is done shows in start times, what is under way and what failed in the ledger; so every tick converges from what
is there, whatever became of the ticks before.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import History
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


def progress(
    instances: Iterable[Instance], histories: Mapping[str, History], rolling: Rolling, now: datetime
) -> Progress:
    """Sort the selected instances.

    `under_way`: claimed and not up again; `failed`: rebooted and stayed down or hung, until that is resolved.
    """
    done, under_way, failed, left = [], [], [], []
    for instance in sorted(instances, key=lambda instance: instance.instance_id):
        entry = histories.get(instance.instance_id, History()).entry
        up_again = instance.status == "Running" and entry is not None and ledger.restarted(entry, instance.start_time)
        pending = entry is not None and entry.state in ledger.OPEN
        if _is_done(instance, rolling, now):
            done.append(instance.instance_id)
        elif entry and (entry.state in ledger.UNRESOLVED or (pending and instance.status == "Stopped")):
            failed.append(instance.instance_id)
        elif entry and pending and not up_again and not _is_cut_off(entry, instance, now):
            under_way.append(instance.instance_id)
        elif instance.status == "Running":
            left.append(instance.instance_id)
    return Progress(done=tuple(done), under_way=tuple(under_way), failed=tuple(failed), left=tuple(left))


def reason_to_wait(made: Progress) -> str:
    """Return why this tick must wait, or '' to proceed."""
    if made.failed:
        named = ", ".join(made.failed[:5])
        return f"stopped: {named} stayed down or hangs after a reboot; manual investigation required ({made})"
    if made.under_way:
        return f"waiting: {', '.join(made.under_way[:5])} is not back yet ({made})"
    return "" if made.left else f"nothing left to do ({made})"


#: A claim this old whose instance is Running and was not restarted is a run that was cut off: it holds up nothing.
_CUT_OFF = timedelta(hours=1)


def _is_cut_off(entry: ledger.Entry, instance: Instance, now: datetime) -> bool:
    return instance.status == "Running" and now - entry.at > _CUT_OFF


def _is_done(instance: Instance, rolling: Rolling, now: datetime) -> bool:
    if instance.start_time is None or instance.status != "Running":
        return False
    if rolling.since is not None:
        return instance.start_time >= rolling.since
    return (now - instance.start_time).total_seconds() < rolling.older_than_seconds
