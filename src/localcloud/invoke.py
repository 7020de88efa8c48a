"""One invocation of the function on a fresh local cloud: ``python -m localcloud invoke --event PATH``.

Standard output holds the function's answer alone (or the error JSON when it raised), standard error the function's
logs. The exit status is 0 when the function returned, 1 when it raised or was stopped, 2 when the command itself was
wrong. Each option may also come from the environment variable of its name (``EVENT``, ``SET`` …), as the Makefile
exports them; the option wins, an empty variable counts as absent.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcloud import fleet
from localcloud.cloud import Cloud
from localcloud.functioncompute.function import RUNTIMES, Credentials, Function, InvalidFunction
from localcloud.functioncompute.instance import Instance
from localcloud.functioncompute.invocation import Invocation
from localcloud.mistakes import DeclarationError
from localcloud.server import running

FUNCTION_NAME = "ecs-reboot"
ROLE_NAME = "ecs-reboot-function"
REGION = "cn-hangzhou"
TIMEOUT_SECONDS = 60
# The source tree that holds this package holds the function beside it.
SOURCE = Path(__file__).resolve().parent.parent
# A built package has its entry points at the top; the source tree has them inside the package.
PACKAGED_ENTRIES = ("index.handle", "index.initialize")
SOURCE_ENTRIES = ("ecs_reboot.handler.handle", "ecs_reboot.handler.initialize")


class UsageError(Exception):
    """The command can't be carried out as given; the text is the whole sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser(os.environ).parse_args(arguments)
    try:
        invocation = _run(options)
    except (UsageError, InvalidFunction) as mistake:
        sys.stderr.write(f"invoke: {mistake}\n")
        return 2
    sys.stderr.write(invocation.logs.decode(errors="replace"))
    sys.stderr.flush()
    # JSON has line breaks only between its tokens, so joining the lines changes nothing but the layout.
    sys.stdout.buffer.write(b" ".join(invocation.payload.splitlines()) + b"\n")
    sys.stdout.flush()
    return 1 if invocation.error else 0


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


def _run(options: argparse.Namespace) -> Invocation:
    event = _event(options.event)
    settings = settings_of(options.set)
    cloud = Cloud.from_fleet(_fleet(options.fleet))
    if options.audit:
        _check_writable(options.audit)

    def role_credentials() -> Credentials:
        session = cloud.credentials.assume_role(ROLE_NAME)
        return Credentials(session.access_key_id, session.access_key_secret, session.security_token)

    code = Path(options.code) if options.code else SOURCE
    handler, initializer = PACKAGED_ENTRIES if (code / "index.py").is_file() else SOURCE_ENTRIES
    project, logstore = _logstore(cloud.declared.log_projects)
    with running(cloud, port=0) as server:
        function = Function(
            name=FUNCTION_NAME,
            code_path=code,
            credentials=role_credentials,
            handler=options.handler or handler,
            initializer=options.initializer if options.handler else initializer,
            timeout=options.timeout,
            environment={
                "ECS_ENDPOINT": server.url,
                "SLS_ENDPOINT": server.url,
                "LOG_PROJECT": project,
                "LOGSTORE": logstore,
                **settings,
            },
            runtime=options.runtime,
            account_id=cloud.account,
            region=REGION,
            log_project=project,
            log_store=logstore,
        )
        with Instance(function) as instance:
            invocation = instance.invoke(event)
        cloud.advance()
        if options.audit:
            cloud.audit.write(options.audit)
    return invocation


def _logstore(projects: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Choose the first logstore of the first project that has one; none leaves the records on standard output alone."""
    return next(((project, logstores[0]) for project, logstores in projects.items() if logstores), ("", ""))


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
        "--timeout", type=int, default=default("TIMEOUT", str(TIMEOUT_SECONDS)), help="the function's timeout, seconds"
    )
    parser.add_argument("--handler", default="", help="file.function; without: index.handle or the source's own")
    parser.add_argument("--initializer", default="", help="file.function to run once before, beside --handler")
    parser.add_argument("--runtime", default="python3.10", choices=RUNTIMES, help="whose context object to give")
    return parser


if __name__ == "__main__":
    sys.exit(main())
