"""``python -m cli``: the same as the program ``ecs-reboot``."""

import sys

from cli.program import main

if __name__ == "__main__":
    sys.exit(main())
