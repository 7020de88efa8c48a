"""Builds what lands in /code: the function, and of its packages what it reaches (docs/understand/performance.md)."""


class BuildError(Exception):
    """The package can't be built as it should be; the message says what no longer fits and where to look."""
