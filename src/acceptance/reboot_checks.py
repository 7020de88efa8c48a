"""The reboot itself: what ECS answers, what the instance shows, what a second call meets, how calls are throttled."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

from Tea.exceptions import TeaException

from acceptance.check import CheckFinding, differs, holds, unknown
from acceptance.stage import Stage

DRY_RUN_CODE, NOT_RUNNING, _OK = "DRYRUN.SUCCESS", "IncorrectInstanceStatus", "200"
#: Calls of DescribeRegions until one is refused; more than an account should ever be allowed in a minute is not tried.
_BURST = 1000
#: What the pages say that an instance is first: Stopping (the sample), or Starting (the prose of 2026).
_DOWN = {"Stopping", "Starting"}
_STARTS_AFTER = timedelta(minutes=1)


def dry_run(stage: Stage) -> CheckFinding:
    """Ask for a dry run and look at the code of a success."""
    _await(stage, lambda: stage.described()["Status"] == "Running")
    try:
        stage.ecs("RebootInstances", {"InstanceId.1": stage.instance, "DryRun": "true"})
    except TeaException as error:
        saw = f"a dry run ended in {error.code}"
        return holds(saw) if error.code == DRY_RUN_CODE else differs(saw)
    return differs("a dry run was answered like a reboot, without an error")


def reboot(stage: Stage) -> CheckFinding:
    """Reboot the instance, watch its status, and compare its StartTime."""
    _await(stage, lambda: stage.described()["Status"] == "Running")
    before = str(stage.described()["StartTime"])
    _wait_for_another_minute(stage, before)
    began = time.monotonic()
    answer = stage.ecs("RebootInstances", {"InstanceId.1": stage.instance, "BatchOptimization": "SuccessFirst"})
    row = answer["InstanceResponses"]["InstanceResponse"][0]
    seen = [str(row["CurrentStatus"])]

    def up_again() -> bool:
        status = str(stage.described()["Status"])
        if seen[-1] != status:
            seen.append(status)
        return status == "Running" and (len(seen) > 1 or str(stage.described()["StartTime"]) != before)

    back = _await(stage, up_again)
    after = str(stage.described()["StartTime"])
    wrong = []
    if not isinstance(row["Code"], str):
        wrong.append(f"the Code of the answer is the number {row['Code']}, not a text")
    if str(row["Code"]) != _OK:
        return unknown(f"ECS refused the reboot: {row['Code']}: {row['Message']}")
    if not _DOWN.intersection(seen):
        wrong.append("it was never seen down")
    if after <= before:
        wrong.append("StartTime did not move")
    if not back:
        wrong.append(f"it was not Running again within {stage.patience.reboot:.0f} s")
    saw = f"{' -> '.join(seen)} in {time.monotonic() - began:.0f} s; StartTime {before} -> {after}"
    return differs(f"{'; '.join(wrong)} ({saw})") if wrong else holds(f'Code "200"; {saw}')


def force_while_stopping(stage: Stage) -> CheckFinding:
    """Reboot the instance, and while it is Stopping ask for a forced reboot and a forced stop; start it again."""
    _await(stage, lambda: stage.described()["Status"] == "Running")
    parameters = {"InstanceId.1": stage.instance, "BatchOptimization": "SuccessFirst"}
    stage.ecs("RebootInstances", parameters)
    reboot = _row(stage, "RebootInstances", {**parameters, "ForceReboot": "true"})
    stop = _row(stage, "StopInstances", {**parameters, "ForceStop": "true", "StoppedMode": "KeepCharging"})
    if stop["Code"] == _OK:
        _await(stage, lambda: stage.described()["Status"] == "Stopped")
        stage.ecs("StartInstances", parameters)
    _await(stage, lambda: stage.described()["Status"] == "Running")
    saw = (
        f"in {reboot['PreviousStatus'] or 'between'} a forced reboot: {reboot['Code']}; "
        f"in {stop['PreviousStatus'] or 'between'} a forced stop: {stop['Code']}"
    )
    if "Running" in (reboot["PreviousStatus"], stop["PreviousStatus"]):
        return unknown(f"{saw}: it was not in between")
    return holds(saw) if (reboot["Code"], stop["Code"]) == (NOT_RUNNING, _OK) else differs(saw)


def throttling(stage: Stage) -> CheckFinding:
    """Call DescribeRegions until a call is refused, and again in the next minute."""
    code, at, count = "", datetime.now(timezone.utc), 0
    while count < _BURST:
        count += 1
        try:
            stage.ecs("DescribeRegions", {})
        except TeaException as error:
            code, at = str(error.code), datetime.now(timezone.utc)
            break
    if not code:
        return unknown(f"{_BURST} calls of DescribeRegions were all answered")
    saw = f"call {count} of DescribeRegions was refused with {code}"
    if not code.startswith("Throttling"):
        return differs(saw)
    if not stage.patience.next_minute:
        return holds(saw)
    time.sleep(62 - at.second)
    try:
        stage.ecs("DescribeRegions", {})
    except TeaException as error:
        return differs(f"{saw}; in the next minute it was still refused: {error.code}")
    return holds(f"{saw}; in the next minute it was answered")


def _row(stage: Stage, action: str, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the row of the instance in the answer to a call for a batch; its Code as text."""
    row = stage.ecs(action, parameters)["InstanceResponses"]["InstanceResponse"][0]
    return {**row, "Code": str(row["Code"])}


def _wait_for_another_minute(stage: Stage, start_time: str) -> None:
    """StartTime has the precision of a minute: a reboot in the minute of the last start would show nothing."""
    started = datetime.strptime(start_time, "%Y-%m-%dT%H:%MZ").replace(tzinfo=timezone.utc)
    left = (started + _STARTS_AFTER - datetime.now(timezone.utc)).total_seconds()
    if left > 0:
        stage.say(f"it started less than a minute ago; waiting {left:.0f} s")
        time.sleep(left)


def _await(stage: Stage, there: Callable[[], bool]) -> bool:
    until = time.monotonic() + stage.patience.reboot
    while not there():
        if time.monotonic() >= until:
            return False
        time.sleep(stage.patience.look)
    return True
