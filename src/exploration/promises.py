"""The promises of docs/understand/safety.md, checked at each reboot, at the end of each run, and when all is over."""

from ecs_reboot.cloud.tablestore.rows import Put
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.policy.facts import Policy
from exploration.asking import CHANGING, Call
from exploration.machines import DOWN, FINISH, Power, is_running, spell
from exploration.scenarios import Scenario, request_id
from exploration.state import State, Told
from exploration.world import World

CLAIMED = "no reboot without the claim that stands"
ANNOUNCED = "no reboot without an intent record before it"
COOLDOWN = "never twice within the cooldown"
LIMIT = "never more than the limit in a window"
GROUP = "never two of one group at once"
RECORD = "every instance asked for has a record"
HONEST = "a record never denies a reboot"
ENDS = "a clear, allowed alarm ends in a reboot, or in an error that is retried"
CALM = "once the weather is calm, an alarm ends in a reboot within minutes"
ONCE = "what hangs is finished once, and by force"
STARTED = "what was stopped to finish it does not stay Stopped"
RELEASED = "a member of a scaling group is protected while it is down"
FOR_GOOD = "no protection stays behind for good"
OBSERVES = "an observing run asks for nothing that changes anything but its own memory"
APART = "no acting run reads or writes what an observing one remembers"
PREVENTED = "no reboot that a fact would have prevented, whether it can be read or not"
FINISHED = "what hangs is Running again in the end, or somebody is told"


def of_power(scenario: Scenario, before: World, done: tuple[Power, ...], state: State, call: Call) -> str:
    """Return the promise that changes of power broke which took effect just now, '' where none."""
    down = (change for change in done if change.kind in DOWN)
    return next((broken for change in down if (broken := _of_change(scenario, before, change, state, call))), "")


def of_call(scenario: Scenario, request: int, call: Call) -> str:
    """Return the promise that a run breaks by asking for something, whatever comes of it; '' where none."""
    observes, shadow = scenario.event(request).observes, _is_of_the_shadow(call)
    if observes and call.action in CHANGING and not shadow:
        return OBSERVES
    return APART if shadow and not observes else ""


def _is_of_the_shadow(call: Call) -> bool:
    """Return whether a call is about the memory of those who only observe, in whichever store."""
    if call.action == "TagResources":
        return bool(call.subject[1] == ledger.OBSERVED_KEY)
    if call.action == "DescribeInstances by tag":
        return bool(call.subject == ledger.OBSERVED_KEY)
    rows = {"BatchGetRow": call.subject, "PutRow": (call.subject,), "BatchWriteRow": call.subject}.get(call.action, ())
    keys = (thing.row.key if isinstance(thing, Put) else thing for thing in rows)
    return any(str(key[0][1]).startswith(ledger.OBSERVED.before_region) for key in keys)


def of_protection(scenario: Scenario, state: State) -> str:
    """Return the promise that is broken because a member is down now and not protected, '' where none is."""
    truth = state.world.truth
    bare = (member for member in scenario.laws.fleet.members if member not in truth.protected)
    return "" if all(is_running(truth.power, member, state.now) for member in bare) else RELEASED


def _of_change(scenario: Scenario, before: World, change: Power, state: State, call: Call) -> str:
    policy, power, instance_id = scenario.settings.policy, before.truth.power, change.instance_id
    run = state.runs[change.run]
    recent = [earlier for earlier in power if earlier.instance_id == instance_id and earlier.kind in DOWN]
    others = {other.instance_id: other for other in power if other.instance_id != instance_id and other.kind != "start"}
    checks = (
        (PREVENTED, instance_id not in scenario.meeting.prevented),
        (ONCE, not _hangs(power, instance_id) or change.kind in FINISH),
        (ONCE, change.kind not in FINISH or all(earlier.kind not in FINISH for earlier in recent)),
        (COOLDOWN, not any(change.at - earlier.at < policy.cooldown_seconds for earlier in recent)),
        (LIMIT, _within_limit(policy, change, others)),
        (GROUP, not policy.group_tag or all(is_running(power, other, change.at) for other in others)),
        (CLAIMED, _claim(before, instance_id) == ledger.claim_digest(request_id(run.request))),
        (ANNOUNCED, instance_id in call.announced),
        (HONEST, run.told is None or not _denies(run.told, instance_id)),
    )
    return next((promise for promise, kept in checks if not kept), "")


def of_end(scenario: Scenario, state: State, run: int, told: Told) -> str:
    """Return the promise that a run broke by what it said in the end."""
    target = scenario.event(state.runs[run].request).target
    if target and target not in dict(told.codes):
        return RECORD
    done = {change.instance_id for change in state.world.truth.power if change.run == run and change.kind in DOWN}
    return HONEST if any(_denies(told, instance_id) for instance_id in done) else ""


def of_all(scenario: Scenario, state: State, *, every_alarm: bool, silent: bool) -> str:
    """Return the promise that is broken when all is over and the weather has been calm for long.

    ``every_alarm``: those of dead runs came again too; ``silent``: an alarm ended for good.
    """
    power = state.world.truth.power
    for instance_id in dict.fromkeys(change.instance_id for change in power):
        status = spell(power, instance_id, state.now).status
        if status == "Stopped":
            return STARTED
        told = (run.told.codes for run in state.runs if run.told)
        if status != "Running" and not any((instance_id, "hung") in codes for codes in told):
            return FINISHED
    if state.world.truth.protected:
        return FOR_GOOD
    meeting = scenario.meeting
    if meeting.earlier or not meeting.due or any(change.run >= 0 for change in power):
        return ""
    if every_alarm:
        return CALM
    return ENDS if silent else ""


def _hangs(power: tuple[Power, ...], instance_id: str) -> bool:
    """Return whether the last that was done to an instance hangs."""
    return [change.kind for change in power if change.instance_id == instance_id][-1:] == ["hangs"]


def _denies(told: Told, instance_id: str) -> bool:
    return all(BY_CODE[code].denies_reboot for named, code in told.codes if named == instance_id)


def _within_limit(policy: Policy, reboot: Power, others: dict[str, Power]) -> bool:
    limit, window = policy.max_reboots, policy.max_reboots_window_seconds
    counted = [other for other in others.values() if reboot.at - other.at < window]
    return limit is None or len(counted) < limit.number


def _claim(world: World, instance_id: str) -> str:
    """Return the ID of the claim that stands on an instance, in whichever store."""
    for key, columns in world.rows:
        if key[1][1] == f"i#{instance_id}":
            return str(dict(columns).get("claim", ""))
    text = dict(world.truth.tags).get(instance_id, "")
    return text.split(" ")[4].split(".")[0] if text else ""
