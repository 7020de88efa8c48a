"""A warm invocation: the same event again and again in one process, and how much CPU of it is our own.

    python -I -S warm.py CODE EVENT TIMES

Prints for each invocation after the first three: CPU in all and CPU inside the API calls, in ms. An API call is a
method of the SDK's client, from parameters to a parsed answer, and the exchange of PutLogs.
"""

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

CODE, EVENT, TIMES = sys.argv[1:4]
sys.path[:0] = [CODE, __file__.rpartition("/")[0]]

WARM_UP = 3


class Meter:
    """Sums the CPU time of the outermost of the functions it has wrapped."""

    def __init__(self) -> None:
        self.spent, self.depth = 0, 0

    def excluding(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function."""

        def measured(*args: Any, **kwargs: Any) -> Any:
            self.depth += 1
            began = time.process_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.spent += time.process_time_ns() - began

        return measured


def main() -> None:
    """Invoke and measure."""
    index = import_module("index")
    client = import_module("alibabacloud_ecs20140526.client").Client
    connections = import_module("ecs_reboot.cloud.transport").Connections
    sys.argv = [sys.argv[0], CODE, "index", EVENT]
    context = import_module("driver").context

    meter = Meter()
    for name in [name for name in vars(client) if name.endswith("_with_options")]:
        setattr(client, name, meter.excluding(getattr(client, name)))
    connections.exchange = meter.excluding(connections.exchange)
    event = Path(EVENT).read_bytes()
    for number in range(WARM_UP + int(TIMES)):
        meter.spent, began = 0, time.process_time_ns()
        index.handle(event, context())
        if number >= WARM_UP:
            print("WARM", (time.process_time_ns() - began) / 1e6, meter.spent / 1e6, flush=True)


if __name__ == "__main__":
    main()
