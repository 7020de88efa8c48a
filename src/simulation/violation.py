"""A broken promise."""

#: The promise that an instance is not rebooted a second time for the same fault.
NEVER_TWICE = "never twice within the cooldown"


class Violation(Exception):
    """A promise was broken: which, and how."""

    def __init__(self, promise: str, how: str) -> None:
        self.promise = promise
        super().__init__(f"{promise}: {how}")
