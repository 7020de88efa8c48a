"""A schedule as a person reads it: one line for each move, with the letters A, B, C for the requests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ecs_reboot.cloud.tablestore.rows import BatchWritten, Put, Read, Written
from ecs_reboot.model import Instance, RebootAnswer
from exploration.asking import Action, Call, Sleep
from exploration.state import Happening
from simulation.run import EPOCH

_LETTERS = "ABCDEFGH"


def line(happening: Happening) -> str:
    """Return one line."""
    who = _LETTERS[happening.request] + "'" * happening.attempt
    step = happening.point.step if happening.point else None
    asked = _asked(step) if isinstance(step, Call) else ""
    told = _told(happening.answer) if happening.answer is not None else ""
    if isinstance(step, Call) and isinstance(happening.answer, RebootAnswer):
        told = _powered(step, happening.answer)
    if isinstance(step, Sleep):
        asked = f"after {step.seconds:g} s"
    said = "  ".join(part for part in (asked, f"-> {told}" if told else "") if part)
    return f"{happening.now:8.2f}  {who:4} {happening.what}{': ' if said else ''}{said}"


def _asked(call: Call) -> str:
    words = _SUBJECTS.get(call.action, lambda subject: " ".join(map(str, subject)))
    return f"{call.action} {words(call.subject)}".rstrip()


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


def _powered(call: Call, answer: RebootAnswer) -> str:
    return answer.dry_run_code or "; ".join(
        f"{_VERBS[call.action]} {row.instance_id}" if row.code == "200" else row.code for row in answer.instances
    )


def _listed(answer: tuple[Any, ...]) -> str:
    return (
        "; ".join(_instance(value) if isinstance(value, Instance) else " ".join(map(str, value)) for value in answer)
        or "none"
    )


def _instance(instance: Instance) -> str:
    return f"{instance.status}, started {instance.start_time:%H:%M}" if instance.start_time else instance.status


#: By call, its subject in words; of all others it is a list of instances.
_SUBJECTS: dict[Action, Callable[[Any], str]] = {
    "TagResources": lambda subject: f"{' '.join(subject[0])} {subject[1]}={subject[2]}",
    "SetInstancesProtection": lambda subject: f"{' '.join(subject[0])} {'on' if subject[1] else 'off'}",
    "BatchGetRow": lambda keys: " ".join(str(key[1][1]) for key in keys),
    "PutRow": _put,
    "BatchWriteRow": lambda changes: "; ".join(_put(put) for put in changes if isinstance(put, Put)),
    "DescribeInstances by tag": str,
}
_VERBS: dict[Action, str] = {
    "RebootInstances": "REBOOTS",
    "RebootInstances by force": "REBOOTS BY FORCE",
    "StopInstances": "STOPS",
    "StartInstances": "STARTS",
}
#: Named tuples are tuples too, so they stand first.
_WORDS: dict[type, Callable[[Any], str]] = {
    Read: _read,
    Written: _written,
    BatchWritten: _batch_written,
    tuple: _listed,
}
