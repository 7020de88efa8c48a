"""One invocation of the function on a fresh local cloud.

Standard output holds the function's answer alone (or the error JSON when it raised), standard error the function's
logs; or, for a person, the story of it. The exit status is 0 when the function returned, 1 when it raised or was
stopped. An event that it could not read or may not obey is answered, not raised: that is said on standard error with
the file's name, and is 1 for whoever is ``strict``.

It ends when what the function handed to itself is done too: the answer is the first invocation's, logs and audit are
those of all.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from localcloud.account import fleets
from localcloud.account.cloud import Cloud
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.fleet import Fleet
from localcloud.commands.deployed import asked_for, cloud_of, register
from localcloud.commands.project_function import project_function
from localcloud.commands.story import say, tell, tell_audit
from localcloud.functioncompute import processor_share
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.functioncompute.invocation import Invocation
from localcloud.server.server import running
from terminal.key_values import UsageError, key_values
from terminal.printable import printable, write_error

#: For what the function handed to itself: its timeouts, and the waits between its tries.
LONGEST_WAIT_SECONDS = 4 * 3600.0


class InvokeOptions(NamedTuple):
    """What to invoke, and how: paths, texts and numbers as the command line has them; '' and None are absent."""

    event: str
    fleet: str = ""
    audit: str = ""
    set: str = ""
    code: str = ""
    timeout: int | None = None
    deployed: bool = False
    params: str = ""
    handler: str = ""
    initializer: str = ""
    runtime: str = "python3.10"
    story: bool = False
    strict: bool = False


class Ran(NamedTuple):
    """The invocation of the event, those that it asked for, the cloud they ran on."""

    first: Invocation
    later: Sequence[Invocation]
    cloud: Cloud

    @property
    def all(self) -> Sequence[Invocation]:
        """Every invocation."""
        return self.first, *self.later


def main(options: InvokeOptions) -> int:
    """Invoke, write what came of it, return the exit status. Raises UsageError, InvalidFunction, WrongParameters."""
    ran = _run(options)
    if options.story:
        _tell(ran)
    else:
        for invocation in ran.all:
            sys.stderr.write(printable(invocation.logs.decode(errors="replace")))
        sys.stderr.flush()
        # JSON has line breaks only between its tokens, so joining the lines changes nothing but the layout.
        sys.stdout.buffer.write(b" ".join(ran.first.payload.splitlines()) + b"\n")
        sys.stdout.flush()
    rejected = _rejected(ran.first)
    if rejected is not None:
        why = "" if options.story else f": {rejected}"  # the story has told why
        write_error(f"invoke: the function rejected {_named(options.event)}{why}")
    failed = ran.all[-1].error or ran.first.error or (options.strict and rejected is not None)
    return 1 if failed else 0


def _rejected(invocation: Invocation) -> str | None:
    """Return why this project's own function rejected the whole event, None where it did not."""
    answer = _answer(invocation)
    return str(answer.get("reason") or "") if answer and answer["status"] == "rejected" else None


def _named(path: str) -> str:
    return "the event of standard input" if path == "-" else path


def _tell(ran: Ran) -> None:
    """Tell a person. Where the answer is not this project's own, or is an error, it is shown as it is."""
    names = {spec.instance_id: spec.instance_name for spec in ran.cloud.declared.instances}
    for invocation in ran.all:
        answer = _answer(invocation)
        if answer is None:
            sys.stderr.write(printable(invocation.logs.decode(errors="replace")))
            say(invocation.payload.decode(errors="replace"))
        else:
            tell(answer, names)
    tell_audit(ran.cloud.audit.entries(), names)


def _answer(invocation: Invocation) -> Mapping[str, Any] | None:
    if invocation.error:
        return None
    try:
        answer = json.loads(invocation.payload)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and {"trigger", "status", "results"} <= set(answer) else None


def _run(options: InvokeOptions) -> Ran:
    """Return the invocation of the event, and those that it asked for."""
    event = event_of(options.event)
    settings = key_values("SET", options.set)
    _check_entries(options)
    declared = fleet_of(options.fleet)
    deployed = asked_for(declared.account, key_values("PARAMS", options.params), deployed=options.deployed)
    cloud = cloud_of(declared, deployed)
    if options.audit:
        _check_writable(options.audit)

    with running(cloud, port=0) as server:
        function = project_function(
            cloud,
            server.url,
            settings,
            code=Path(options.code) if options.code else None,
            timeout=options.timeout,
            runtime=options.runtime,
            entries=(options.handler, options.initializer) if options.handler else None,
            deployed=deployed,
        )
        later: list[Invocation] = []
        register(server.functions, function, deployed, later.append)
        with FunctionInstance(function) as instance:
            invocation = instance.invoke(event)
        server.functions.wait_until_idle(LONGEST_WAIT_SECONDS)
        cloud.advance()
        if options.audit:
            cloud.audit.write(options.audit)
        if deployed:
            sys.stderr.write(_times(function.cpu, (invocation, *later), held=instance.has_its_share))
    return Ran(invocation, later, cloud)


def _times(share: float, invocations: Sequence[Invocation], *, held: bool) -> str:
    """Return how long each run took as deployed, its start not counted."""
    told = []
    for run in invocations:
        seconds = run.duration if held else processor_share.stretched(run.duration, run.processor_seconds, share)
        told.append(f"{seconds:.2f} s, {run.processor_seconds * 1000:.0f} ms of it computing")
    how = "held to by a control group" if held else "computed from the time of its processor: no control group here"
    return f"as deployed, {share:g} vCPU ({how}): {'; then '.join(told)}\n"


def event_of(path: str) -> bytes:
    """Read an event, from standard input where the path is `-`. Raises UsageError."""
    if not path:
        raise UsageError("no event: give --event PATH (or EVENT=PATH), or --event - for standard input")
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"the event file {path} can't be read: {error.strerror}") from error


def fleet_of(path: str) -> Fleet:
    """Return the fleet of this name or file. Raises UsageError."""
    try:
        return fleets.chosen(path)
    except DeclarationError as error:
        raise UsageError(str(error)) from error


def _check_entries(options: InvokeOptions) -> None:
    for name, entry in (("--handler", options.handler), ("--initializer", options.initializer)):
        if entry and not all(entry.rpartition(".")):
            raise UsageError(f"{name} {entry!r} is not of the form file.function, such as index.handle")


def _check_writable(path: str) -> None:
    """Empty the audit file before the function runs: a reboot whose audit has no place must not happen."""
    try:
        Path(path).write_bytes(b"")
    except OSError as error:
        raise UsageError(f"the audit file {path} can't be written: {error.strerror}") from error
