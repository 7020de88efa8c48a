"""``python -m cli.step FILE ...`` or ``-m MODULE ...``: one step of a longer command, as Python itself would run it.

An interruption reaches it as it reaches the command that started it, and is that command's to tell: the step ends
without a word, with the status of an interruption.
"""

import runpy
import sys

from cli import exit_status


def main(arguments: list[str]) -> int:
    """Run the step; return its exit status, where it does not exit itself."""
    module = arguments[0] == "-m"
    sys.argv = arguments[1:] if module else arguments
    try:
        if module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    return exit_status.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
