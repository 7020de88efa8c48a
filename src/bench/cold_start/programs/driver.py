"""Stands in for Function Compute's bootstrap: loads a handler, calls it, and says what that took.

    python -I -S driver.py CODE MODULE EVENT

CODE is the only directory beside the standard library. The last line printed: when the handler returned (monotonic ns),
peak memory (KiB), modules, and which of ssl and the network SDK were loaded. The peak is the process's own: what the
kernel reports of a child's peak includes that of the process that started it.
"""

import sys
import time

CODE, MODULE, EVENT = sys.argv[1:4]
sys.path.insert(0, CODE)


class Fields:
    """An object with the given attributes, as the context and its parts are."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


def context() -> Fields:
    """Return what the handler gets beside the event."""
    return Fields(
        request_id="bench",
        region="cn-hangzhou",
        credentials=Fields(access_key_id="id", access_key_secret="secret", security_token=""),
        function=Fields(name="ecs-reboot", timeout=60),
    )


def peak_kib() -> int:
    """Return the most memory this process had so far."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would count as a module of the handler's
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Call the handler once."""
    with open(EVENT, "rb") as file:  # noqa: PTH123 - see above
        event = file.read()
    module = __import__(MODULE)
    if hasattr(module, "initialize"):
        module.initialize(context())
    module.handle(event, context())
    returned = time.monotonic_ns()
    sdk = any(name in sys.modules for name in ("alibabacloud_tea_openapi", "darabonba", "requests"))
    print(returned, peak_kib(), len(sys.modules), int("ssl" in sys.modules), int(sdk), flush=True)


if __name__ == "__main__":
    main()
