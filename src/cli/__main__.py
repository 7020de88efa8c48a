"""``ecs-reboot``, and ``python -m cli``: the program in a process of its own, which is to start soon."""

import gc
import os
import sys


def main() -> int:
    """Run the command of this process; return its exit status."""
    # What a start imports stays: looking through it for garbage a hundred times is a tenth of its time.
    gc.set_threshold(50_000)
    # There are none, and looking for them reads the metadata of every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from cli.program import main as run  # noqa: PLC0415 - after the two lines above

    return run()


if __name__ == "__main__":
    sys.exit(main())
