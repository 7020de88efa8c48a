"""What an observing function (``MODE=observe``) does in place of asking ECS. Pure.

No machine is restarted, so a reboot that would have been asked for counts as over and well at once: cooldown, attempts,
limits and storms then hold as they would. What can't be known is whether the reboot would have helped.
"""

from collections.abc import Iterable, Mapping

from ecs_reboot.ledger.entry import History
from ecs_reboot.model import Instance
from ecs_reboot.policy.facts import ApprovedReboot, in_window
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result


def would_reboot(order: ApprovedReboot) -> Result:
    """Return the result of a reboot that nobody asked for."""
    reason = f"observing, so ECS was not asked: {order.decision.reason}"
    force, attempt = order.decision.force, in_window(order.facts) + 1
    return records.of_decision(order.facts, "reboot", "would_reboot", reason, force=force, attempt=attempt)


def as_if_restarted(instances: Iterable[Instance], histories: Mapping[str, History]) -> list[Instance]:
    """Return the instances as they would be shown, started again when they would have been rebooted."""
    return [_restarted(instance, histories.get(instance.instance_id, History())) for instance in instances]


def _restarted(instance: Instance, history: History) -> Instance:
    entry = history.entry
    if entry is None or entry.state != "back" or (instance.start_time and instance.start_time >= entry.at):
        return instance
    return instance.model_copy(update={"start_time": entry.at})
