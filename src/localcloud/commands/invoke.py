"""One invocation of the function on a fresh local cloud: ``python -m localcloud invoke --event PATH``.

Standard output holds the function's answer alone (or the error JSON when it raised), standard error the function's
logs. The exit status is 0 when the function returned, 1 when it raised or was stopped, 2 when the command itself was
wrong. Each option may also come from the environment variable of its name (``EVENT``, ``SET`` …), as the Makefile
exports them; the option wins, an empty variable counts as absent.

It ends when what the function handed to itself is done too: the answer is the first invocation's, logs and audit are
those of all.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloud_languages.template.parameters import WrongParameters
from localcloud.account import fleet
from localcloud.account.mistakes import DeclarationError
from localcloud.commands.deployed import cloud_of, deployment, register
from localcloud.commands.project_function import project_function
from localcloud.functioncompute import processor_share
from localcloud.functioncompute.function import RUNTIMES, InvalidFunction
from localcloud.functioncompute.instance import Instance
from localcloud.functioncompute.invocation import Invocation
from localcloud.server.server import running

#: For what the function handed to itself: its timeouts, and the waits between its tries.
LONGEST_WAIT_SECONDS = 4 * 3600.0


class UsageError(Exception):
    """The command can't be carried out as given; the text is the whole sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser(os.environ).parse_args(arguments)
    try:
        invocation, later = _run(options)
    except (UsageError, InvalidFunction, WrongParameters) as mistake:
        sys.stderr.write(f"invoke: {mistake}\n")
        return 2
    for one in (invocation, *later):
        sys.stderr.write(one.logs.decode(errors="replace"))
    sys.stderr.flush()
    # JSON has line breaks only between its tokens, so joining the lines changes nothing but the layout.
    sys.stdout.buffer.write(b" ".join(invocation.payload.splitlines()) + b"\n")
    sys.stdout.flush()
    return 1 if invocation.error or (later and later[-1].error) else 0


def settings_of(text: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` words, quoted as in a shell; raises UsageError for a word that is not one."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"SET {text!r} has an unfinished quotation ({error}): close it") from error
    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise UsageError(f"SET has the word {word!r}: write KEY=VALUE, with quotes around a value with spaces")
        settings[key] = value
    return settings


def _run(options: argparse.Namespace) -> tuple[Invocation, list[Invocation]]:
    """Return the invocation of the event, and those that it asked for."""
    event = _event(options.event)
    settings = settings_of(options.set)
    declared = _fleet(options.fleet)
    deployed = deployment(declared.account, settings_of(options.params)) if options.deployed else None
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
        with Instance(function) as instance:
            invocation = instance.invoke(event)
        server.functions.wait_until_idle(LONGEST_WAIT_SECONDS)
        cloud.advance()
        if options.audit:
            cloud.audit.write(options.audit)
        if deployed:
            sys.stderr.write(_times(function.cpu, (invocation, *later), held=instance.has_its_share))
    return invocation, later


def _times(share: float, invocations: Sequence[Invocation], *, held: bool) -> str:
    """Say how long each run took as deployed, its start not counted."""
    told = []
    for run in invocations:
        seconds = run.duration if held else processor_share.stretched(run.duration, run.processor_seconds, share)
        told.append(f"{seconds:.2f} s, {run.processor_seconds * 1000:.0f} ms of it computing")
    how = "held to by a control group" if held else "computed from the time of its processor: no control group here"
    return f"as deployed, {share:g} vCPU ({how}): {'; then '.join(told)}\n"


def _event(path: str) -> bytes:
    if not path:
        raise UsageError("no event: give --event PATH (or EVENT=PATH), or --event - for standard input")
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"the event file {path} can't be read: {error.strerror}") from error


def _fleet(path: str) -> fleet.Fleet:
    if not path:
        return fleet.default()
    try:
        return fleet.load(path)
    except DeclarationError as error:
        raise UsageError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the fleet file {path} can't be read: {error}") from error


def _check_writable(path: str) -> None:
    """Empty the audit file before the function runs: a reboot whose audit has no place must not happen."""
    try:
        Path(path).write_bytes(b"")
    except OSError as error:
        raise UsageError(f"the audit file {path} can't be written: {error.strerror}") from error


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud invoke", description="One invocation on a fresh local cloud."
    )

    def default(name: str, otherwise: str = "") -> str:
        return environment.get(name) or otherwise

    parser.add_argument("--event", default=default("EVENT"), help="file with the event, passed on as it is; - = stdin")
    parser.add_argument("--fleet", default=default("FLEET"), help="fleet file, YAML or JSON; without: a small fleet")
    parser.add_argument("--audit", default=default("AUDIT"), help="file to write every API call and state change to")
    parser.add_argument("--set", default=default("SET"), help='the function\'s variables: "KEY=VALUE KEY=VALUE"')
    parser.add_argument("--code", default=default("CODE"), help="directory of the function's code; without: the source")
    parser.add_argument(
        "--timeout", type=int, default=default("TIMEOUT") or None, help="the function's timeout, seconds"
    )
    parser.add_argument(
        "--deployed",
        action="store_true",
        default=default("DEPLOYED") not in ("", "0"),
        help="settings, timeout, role and share of a processor as template.yml has them (DEPLOYED=1)",
    )
    parser.add_argument("--params", default=default("PARAMS"), help='the template\'s parameters: "Key=Value ..."')
    parser.add_argument("--handler", default="", help="file.function; without: index.handle or the source's own")
    parser.add_argument("--initializer", default="", help="file.function to run once before, beside --handler")
    parser.add_argument("--runtime", default="python3.10", choices=RUNTIMES, help="whose context object to give")
    return parser


if __name__ == "__main__":
    sys.exit(main())
