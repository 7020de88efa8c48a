"""``python -m localcloud serve``: serve the local cloud."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

#: Command -> its module, loaded when it is called, and what it does.
_COMMANDS = {
    "serve": ("localcloud.commands.serve", "answer until interrupted; the first line printed says where, as JSON"),
}


def main(argv: Sequence[str]) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed, 2 called wrongly."""
    if argv and argv[0] in _COMMANDS:
        status: int = import_module(_COMMANDS[argv[0]][0]).main(list(argv[1:]))
        return status
    _parser().parse_args(argv)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud", description="A stand-in for Alibaba Cloud on loopback."
    )
    commands = parser.add_subparsers(title="commands", required=True)
    for name, (_, help_text) in _COMMANDS.items():
        commands.add_parser(name, help=help_text)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
