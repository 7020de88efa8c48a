"""(d): a handler that does nothing, so an empty interpreter."""


def handle(event: bytes, context: object) -> None:
    """Do nothing."""
