"""A schedule as a person reads it: one line for each move, with the letters A, B, C for the requests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ecs_reboot.cloud.tablestore.rows import BatchWritten, Put, Read, Written
from ecs_reboot.model import Instance, RebootAnswer
from exploration.asking import Call, Sleep
from exploration.state import Happening
from simulation.run import EPOCH

_LETTERS = "ABCDEFGH"


def line(happening: Happening) -> str:
    """Return one line."""
    who = _LETTERS[happening.request] + "'" * happening.attempt
    step = happening.point.step if happening.point else None
    asked = _asked(step) if isinstance(step, Call) else ""
    told = _told(happening.answer) if happening.answer is not None else ""
    if isinstance(step, Sleep):
        asked = f"after {step.seconds:g} s"
    said = "  ".join(part for part in (asked, f"-> {told}" if told else "") if part)
    return f"{happening.now:8.2f}  {who:4} {happening.what}{': ' if said else ''}{said}"


def _asked(call: Call) -> str:
    if call.action in ("DescribeInstances", "RebootInstances"):
        return f"{call.action} {' '.join(call.subject)}"
    if call.action == "TagResources":
        ids, value = call.subject
        return f"TagResources {' '.join(ids)} {value}"
    if call.action == "BatchGetRow":
        return "BatchGetRow " + " ".join(str(key[1][1]) for key in call.subject)
    if call.action == "PutRow":
        return f"PutRow {_put(call.subject)}"
    if call.action == "BatchWriteRow":
        return "BatchWriteRow " + "; ".join(_put(put) for put in call.subject if isinstance(put, Put))
    return call.action


def _put(put: Put) -> str:
    columns, condition = put.row.columns, put.condition
    only = (
        f" if v={condition.column[1]}" if condition.column else " if there is none" if condition.exists is False else ""
    )
    what = columns.get("state") or columns.get("slots") or columns.get("members") or ""
    return f"{put.row.key[1][1]}: {what!r} v={columns.get('v')!r}{only}"


def _told(answer: object) -> str:
    for kind, words in _WORDS.items():
        if isinstance(answer, kind):
            return words(answer)
    return str(answer)


def _read(answer: Read) -> str:
    shown = ", ".join(f"v={row.columns.get('v')!r}" if row else "none" for row in answer.rows)
    return f"{shown} at {(answer.now - EPOCH) / timedelta(seconds=1):g} s"


def _written(answer: Written) -> str:
    return "done" if answer.done else "the condition does not hold"


def _batch_written(answer: BatchWritten) -> str:
    return ", ".join(row.code if row else "done" for row in answer.rows)


def _rebooted(answer: RebootAnswer) -> str:
    return "REBOOTS " + " ".join(instance.instance_id for instance in answer.instances)


def _listed(answer: tuple[Any, ...]) -> str:
    return (
        "; ".join(_instance(value) if isinstance(value, Instance) else " ".join(map(str, value)) for value in answer)
        or "none"
    )


def _instance(instance: Instance) -> str:
    return f"{instance.status}, started {instance.start_time:%H:%M}" if instance.start_time else instance.status


#: Named tuples are tuples too, so they stand first.
_WORDS: dict[type, Callable[[Any], str]] = {
    Read: _read,
    Written: _written,
    BatchWritten: _batch_written,
    RebootAnswer: _rebooted,
    tuple: _listed,
}
