"""The promises of docs/understand/safety.md, checked at each reboot, at the end of each run, and when all is over."""

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.policy.facts import Policy
from exploration.asking import Call
from exploration.scenarios import Scenario, request_id
from exploration.state import State, Told
from exploration.world import Reboot, World, is_back

CLAIMED = "no reboot without the claim that stands"
ANNOUNCED = "no reboot without an intent record before it"
COOLDOWN = "never twice within the cooldown"
LIMIT = "never more than the limit in a window"
GROUP = "never two of one group at once"
RECORD = "every instance asked for has a record"
HONEST = "a record never denies a reboot"
ENDS = "a clear, allowed alarm ends in a reboot, or in an error that is retried"
CALM = "once the weather is calm, an alarm ends in a reboot within minutes"


def of_reboots(scenario: Scenario, before: World, done: tuple[Reboot, ...], state: State, call: Call) -> str:
    """Return the promise that reboots broke which took effect just now, '' where none."""
    return next((broken for reboot in done if (broken := _of_reboot(scenario, before, reboot, state, call))), "")


def _of_reboot(scenario: Scenario, before: World, reboot: Reboot, state: State, call: Call) -> str:
    policy = scenario.settings.policy
    run = state.runs[reboot.run]
    recent = [earlier for earlier in before.reboots if earlier.instance_id == reboot.instance_id]
    others = {other.instance_id: other for other in before.reboots if other.instance_id != reboot.instance_id}
    checks = (
        (COOLDOWN, not any(reboot.at - earlier.at < policy.cooldown_seconds for earlier in recent)),
        (LIMIT, _within_limit(policy, reboot, others)),
        (GROUP, not policy.group_tag or all(is_back(before, other_id, reboot.at) for other_id in others.values())),
        (CLAIMED, _claim(before, reboot.instance_id) == ledger.claim_digest(request_id(run.request))),
        (ANNOUNCED, reboot.instance_id in call.announced),
        (HONEST, run.told is None or not _denies(run.told, reboot.instance_id)),
    )
    return next((promise for promise, kept in checks if not kept), "")


def of_end(scenario: Scenario, state: State, run: int, told: Told) -> str:
    """Return the promise that a run broke by what it said in the end."""
    target = scenario.meeting.targets[state.runs[run].request]
    if target not in dict(told.codes):
        return RECORD
    done = any(reboot.run == run for reboot in state.world.reboots)
    return HONEST if done and _denies(told, target) else ""


def _denies(told: Told, instance_id: str) -> bool:
    return all(BY_CODE[code].denies_reboot for named, code in told.codes if named == instance_id)


def _within_limit(policy: Policy, reboot: Reboot, others: dict[str, Reboot]) -> bool:
    limit, window = policy.max_reboots, policy.max_reboots_window_seconds
    counted = [other for other in others.values() if reboot.at - other.at < window]
    return limit is None or len(counted) < limit.number


def _claim(world: World, instance_id: str) -> str:
    """Return the ID of the claim that stands on an instance, in whichever store."""
    for key, columns in world.rows:
        if key[1][1] == f"i#{instance_id}":
            return str(dict(columns).get("claim", ""))
    text = dict(world.tags).get(instance_id, "")
    return text.split(" ")[4] if text else ""
