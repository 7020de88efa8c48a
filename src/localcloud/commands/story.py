"""What came of an event, told for a person: the answer, the calls that reached the cloud, and the instances' states."""

import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.openapi.quiet_answers import QUIET_ANSWERS
from terminal.printable import write_line

WIDTH = 110


def tell(answer: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Tell the function's answer. ``names``: instance ID -> name."""
    say(f"   event     {answer['trigger']} -> {answer['status']}")
    for result in answer["results"]:
        who = names.get(result["instance_id"], result["instance_id"] or "-")
        say(f"   {result['action']:8}  {who}: {result['code']}")
        say(textwrap.fill(result["reason"], WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13))


def tell_audit(entries: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Tell the calls and the changes of state in the cloud's audit."""
    calls: dict[str, int] = {}
    for entry in entries:
        if entry["kind"] == "api" and entry["service"] != "chat":
            calls[entry["action"]] = calls.get(entry["action"], 0) + 1
    # What is asked before a reboot goes out together, so that its order is chance.
    asked = {action: calls.pop(action) for action in sorted(QUIET_ANSWERS.keys() & calls.keys())}
    for label, made in (("asked", asked), ("calls", calls)):
        if made:
            listed = ", ".join(f"{action} x{count}" if count > 1 else action for action, count in made.items())
            say(textwrap.fill(listed, WIDTH, initial_indent=f"   {label:8}  ", subsequent_indent=" " * 13))
    changes: dict[str, list[str]] = {}
    for entry in entries:
        if entry["kind"] == "state":
            changes.setdefault(entry["instance_id"], [entry["from"]]).append(entry["to"])
    for instance_id, states in changes.items():
        say(f"   state     {names.get(instance_id, instance_id)}: {' -> '.join(states)}")


def say(text: str) -> None:
    """Write a line at once."""
    write_line(text)
    sys.stdout.flush()
