"""A broken promise."""


class Violation(Exception):
    """A promise was broken: which, and how."""

    def __init__(self, promise: str, how: str) -> None:
        self.promise = promise
        super().__init__(f"{promise}: {how}")
