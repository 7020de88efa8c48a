"""Words of strangers inside our sentences: bounded in length, on one line, without control characters."""

LIMIT = 200


def plain(value: object) -> str:
    """Give ``value`` as printable text of at most ``LIMIT`` characters, for a field of its own.

    A string stands as it is, but for what cannot be printed (control characters, lone surrogates, direction marks),
    which is escaped as Python would; anything else is given as Python writes it.
    """
    if isinstance(value, str):
        if len(value) <= LIMIT and value.isprintable():
            return value
        text = value[: LIMIT + 1]
    elif value is None or isinstance(value, (bool, int, float)):
        text = repr(value)[: LIMIT + 1]
    else:
        text = f"a {type(value).__name__} of {len(value)}" if isinstance(value, (list, dict)) else type(value).__name__
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def quoted(value: object) -> str:
    """Give ``value`` for the middle of a sentence: as ``plain``, a string between quotation marks."""
    return f"'{plain(value)}'" if isinstance(value, str) else plain(value)
