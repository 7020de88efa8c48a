"""A command as all of them are: with examples in its help, and with errors that end in a sentence and a status."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from cli import exit_status
from terminal.printable import write_error


class CommandEnded(click.ClickException):
    """A command has ended with a status and a sentence for the user."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """Write the sentence to standard error."""
        write_error(self.message)


def _not_installed(error: ModuleNotFoundError) -> str:
    """Return what to install. Raises the error again where the module is one of this program's own."""
    package = (error.name or "").partition(".")[0]
    if not package or (Path(__file__).parents[1] / package).exists():
        raise error
    return (
        f"this command needs {package}, which is not installed: pip install 'ecs-reboot[{_extra_with(package)}]', or "
        "make in a clone"
    )


def _extra_with(package: str) -> str:
    """Return the extra that installs a package: the one that names it, else that of the official clients."""
    from importlib import metadata  # noqa: PLC0415 - only for this sentence

    try:
        required = metadata.requires("ecs-reboot") or []
    except metadata.PackageNotFoundError:
        required = []
    named = (re.match(rf"{re.escape(package)}\W.*extra == ['\"](\w+)['\"]", each, re.IGNORECASE) for each in required)
    return next((found[1] for found in named if found), "stack")


class Command(click.Command):
    """A command. ``examples`` end its help; ``says_its_name`` puts the name before its errors.

    ``files`` is the option that a file standing alone belongs to. ``interrupted`` is said on Ctrl-C. ``broken_pipe``
    is the status where the reader of the output has gone away.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: tuple[str, ...] = (),
        says_its_name: bool = False,
        files: str = "",
        interrupted: str = "interrupted",
        broken_pipe: int = exit_status.DONE,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._files, self.allow_extra_args = files, bool(files)
        self._examples = examples
        self._prefix = f"{self.name}: " if says_its_name else ""
        self._interrupted, self._broken_pipe = interrupted, broken_pipe

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments. Fails with the option that a bare word belongs to."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            ctx.fail(f"{rest[0]!r} stands alone: write {self._files} {shlex.quote(rest[0])}")
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; return its exit status. Raises Ended for what a user can cause."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nothing more can be said to whoever read the output, not even when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return self._broken_pipe
        except KeyboardInterrupt as error:
            raise CommandEnded(self._interrupted, exit_status.INTERRUPTED) from error
        except click.ClickException:
            raise
        except ModuleNotFoundError as error:
            raise CommandEnded(self._prefix + _not_installed(error), exit_status.WRONG) from error
        except Exception as error:
            status = exit_status.status_of(error)
            if status is None:
                raise
            raise CommandEnded(self._prefix + exit_status.sentence(error), status) from error
        return status

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for example in self._examples:
                formatter.write(f"  {example}\n")
