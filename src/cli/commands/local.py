"""Commands on a local cloud: demo, serve, invoke."""

import sys
from typing import Any

import click

from cli import options
from cli.command import Command
from cli.options import Port

_RUNTIMES = ("python3.10", "python3.12")


@click.command(cls=Command, examples=("ecs-reboot demo",))
def demo() -> int:
    """Play a night of a small fleet on a local cloud: alarms turn into reboots and records.

    It takes a minute, needs no account, and nothing leaves this machine.
    """
    from localcloud.commands import demo as story  # noqa: PLC0415 - each command loads what it uses

    return story.main()


@click.command(
    cls=Command,
    examples=(
        "ecs-reboot serve --port 8080",
        'ecs-reboot serve --fleet fleet.yaml --set "DRY_RUN=true"',
    ),
)
@click.option("--port", type=Port(), default=0, help="The port on 127.0.0.1; without: a free one.")
@options.fleet
@options.code
@options.settings
@options.deployed
@options.parameters
@options.option(
    "access-key-id", "The account's AccessKey; without: drawn at each start.", variable="LOCALCLOUD_ACCESS_KEY_ID"
)
@options.option("access-key-secret", "Its secret.", variable="LOCALCLOUD_ACCESS_KEY_SECRET")
def serve(**given: Any) -> int:
    """Serve the local cloud until interrupted (Ctrl-C).

    The first line says where it answers and with which key, as JSON. Its console is for a browser.
    """
    from cli import serving  # noqa: PLC0415
    from localcloud.commands.serve import ServeOptions  # noqa: PLC0415

    return serving.serve(ServeOptions(**given))


@click.command(
    cls=Command,
    says_its_name=True,
    files="--event",
    examples=(
        "ecs-reboot invoke --event events/manual-by-id.json",
        'ecs-reboot invoke --event alarm.txt --set "MAX_EVENT_AGE_SECONDS=0" --audit audit.jsonl | jq .results',
    ),
)
@options.option("event", "File with the event, passed on as it is; - is standard input.")
@options.fleet
@options.settings
@options.option("audit", "File to write every API call and change of state to.")
@options.code
@options.option("timeout", "The function's timeout, seconds.", type=options.Number("number of seconds"), default=None)
@options.deployed
@options.parameters
@click.option("--handler", default="", help="file.function; without: index.handle or the source's own.")
@click.option("--initializer", default="", help="file.function to run once before, beside --handler.")
@click.option("--runtime", default="python3.10", type=click.Choice(_RUNTIMES), help="Whose context object to give.")
@options.switch("strict", "Fail also where the function rejected the event: it could not be read, or not be obeyed.")
@click.option("--json/--story", "as_json", default=None, help="What to print; without: the story on a terminal.")
def invoke(*, as_json: bool | None, **given: Any) -> int:
    """Invoke the function once, on a fresh local cloud.

    Into a pipe or file it writes the answer alone, as one line of JSON, and the function's logs to standard error.
    On a terminal it tells what was decided, what reached the cloud, and how the instances fared.
    A function that answers has done its work, also where it rejects the event: standard error says so, the answer's
    `status` too, and with --strict the exit status is 1.
    """
    from cli import function_settings  # noqa: PLC0415
    from localcloud.commands import invoke as invocation  # noqa: PLC0415

    if not given["code"] and not given["handler"]:  # another function may have other settings
        function_settings.check(given["set"], deployed=given["deployed"], parameters=given["params"])
    story = sys.stdout.isatty() if as_json is None else not as_json
    return invocation.main(invocation.InvokeOptions(**given, story=story))
