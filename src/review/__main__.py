"""``python -m review explain|replay|digest|forecast``; each says with ``--help`` what it takes."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from localcloud.commands.invoke import UsageError
from localcloud.functioncompute.function import InvalidFunction
from terminal.printable import write_error

COMMANDS = {
    "explain": "the guards of each instance, with the facts they read",
    "replay": "recorded decisions, decided again under other settings",
    "digest": "what the function did, or would have done, and for what reasons",
    "forecast": "what the timers and windows would do in the next days",
}
#: How a shell sees a command that was called wrongly.
CALLED_WRONGLY = 2


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status: 0 done, 1 the function failed, 2 called wrongly."""
    if not arguments or arguments[0] not in COMMANDS:
        listed = "\n".join(f"  {name:10}{meaning}" for name, meaning in COMMANDS.items())
        sys.stderr.write(f"python -m review COMMAND, one of\n{listed}\n")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else CALLED_WRONGLY
    name, *rest = arguments
    try:
        status: int = import_module(f"review.{name}").main(rest)
    except (UsageError, InvalidFunction) as mistake:
        write_error(f"{name}: {mistake}")
        return CALLED_WRONGLY
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing more can be said to them, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
