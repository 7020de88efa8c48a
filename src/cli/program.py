"""``ecs-reboot``: the table of its commands, each loaded when it is called, and the program itself."""

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from cli import exit_status
from cli.command import CommandEnded
from terminal.printable import write_error


class CommandEntry(NamedTuple):
    """One command: the module of ``cli.commands`` that has it, and what it does."""

    module: str
    meaning: str


#: Group of the help -> name -> command.
COMMANDS: dict[str, dict[str, CommandEntry]] = {
    "Try it, on a local cloud": {
        "demo": CommandEntry("local", "alarms turn into reboots and records, in a minute"),
        "serve": CommandEntry("local", "the local cloud until interrupted; the first line says where, as JSON"),
        "invoke": CommandEntry("local", "one event: the story on a terminal, one JSON answer into a pipe or file"),
    },
    "Understand what it does": {
        "explain": CommandEntry("review", "the guards of each instance, and what they read"),
        "replay": CommandEntry("review", "recorded decisions, taken again under other settings"),
        "digest": CommandEntry("review", "what it did, or would have done, in some days, and for what reasons"),
        "forecast": CommandEntry("review", "what timers and windows would do in the next days"),
    },
    "Deploy it": {
        "build": CommandEntry("project", "what is deployed: build/function/ and its zip"),
        "validate": CommandEntry("deployment", "check template.yml offline, against the official resource schemas"),
        "render": CommandEntry("deployment", "what the template would create under given parameters"),
        "deploy": CommandEntry("deployment", "create or update the stack, and follow it"),
        "status": CommandEntry("deployment", "how the stack stands"),
        "logs": CommandEntry("deployment", "its records of the last while"),
        "ledger": CommandEntry("deployment", "`ledger show`: what is remembered of the region, or of one instance"),
        "doctor": CommandEntry("deployment", "what will and will not work tonight; changes nothing"),
        "acceptance": CommandEntry("deployment", "check on an account what no document says; reboots one instance"),
        "remove": CommandEntry("deployment", "delete the stack, keep its logs and ledger"),
        "policy": CommandEntry("deployment", "the RAM policy that a deployer needs"),
    },
    "Develop it": {
        "simulate": CommandEntry("project", "duplicates, crashes, lost answers by the thousand"),
        "explore": CommandEntry("project", "every order in which a few runs can go on"),
        "mutate": CommandEntry("project", "take every guard away, one at a time: each must be noticed"),
        "bench": CommandEntry("project", "cold starts and the local cloud against their bars"),
        "docs": CommandEntry("project", "write what of docs/ and template.yml follows from the code"),
        "plain": CommandEntry("deployment", "the template as plain JSON, without anchors"),
    },
}

_ENTRIES = {name: entry for commands in COMMANDS.values() for name, entry in commands.items()}


class Program(click.Group):
    """The program. A command's module is imported when it is called or completed, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(_ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command; None where there is none of that name."""
        if cmd_name not in _ENTRIES:
            return None
        command: click.Command = getattr(import_module(f"cli.commands.{_ENTRIES[cmd_name].module}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called. Fails with the nearest name for one that does not exist."""
        if args[0] not in _ENTRIES and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _ENTRIES, 1)
            ctx.fail(f"No such command {args[0]!r}." + "".join(f" Did you mean {name!r}?" for name in near))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands and that of exit statuses."""
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.meaning) for name, entry in commands.items()])
        with formatter.section("Exit status"):
            formatter.write_dl([(str(status), meaning) for status, meaning in exit_status.MEANINGS.items()])
        with formatter.section("Examples"):
            for example in ("ecs-reboot demo", "ecs-reboot serve --port 8080", "ecs-reboot deploy --help"):
                formatter.write(f"  {example}\n")
        with formatter.section("Completion"):
            formatter.write('  eval "$(_ECS_REBOOT_COMPLETE=bash_source ecs-reboot)"    # or zsh_source, fish_source\n')


def _wrong_value(error: click.ClickException) -> str | None:
    """Return what is wrong with an option's value, by the name that the user gave; None for another mistake."""
    if type(error) is not click.BadParameter or not isinstance(error.param, click.Option) or error.ctx is None:
        return None
    option, source = error.param, error.ctx.get_parameter_source(error.param.name or "")
    by_variable = source is ParameterSource.ENVIRONMENT
    return f"{option.envvar if by_variable else option.opts[-1]}: {error.message}"


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ecs-reboot", prog_name="ecs-reboot")
def program() -> None:
    """Reboot Alibaba Cloud ECS instances in trouble: try it locally, deploy it, see what it decided and why.

    Only deploy, status, logs, ledger, doctor, acceptance and remove talk to a cloud. build fetches pinned packages.
    """


def main(arguments: Sequence[str] | None = None, clients: Any = None) -> int:
    """Run a command; return the exit status. ``clients`` stand in for those with the usual credentials."""
    try:
        status = program.main(args=arguments, prog_name="ecs-reboot", standalone_mode=False, obj=clients)
    except CommandEnded as error:
        error.show()
        return error.status
    except click.ClickException as error:
        if (told := _wrong_value(error)) is None:
            error.show()
        else:
            write_error(told)
        return error.exit_code
    except click.Abort:
        sys.stderr.write("interrupted\n")
        return exit_status.INTERRUPTED
    return int(status or 0)
