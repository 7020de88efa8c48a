"""Parameters on the command line."""

import shlex

#: Parameters that say where the code lies: a deployment finds them out by itself.
CODE = ("CodeBucket", "CodeObject")


class UsageError(ValueError):
    """The command line can't be read; the text is the whole sentence for the user."""


def parameters_of(text: str) -> dict[str, str]:
    """Read ``Key=Value`` words, quoted as in a shell. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"PARAMS {text!r} has an unfinished quotation ({error}): close it") from error
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise UsageError(f"PARAMS has the word {word!r}: write Key=Value, with quotes around a value with spaces")
        if key in given:
            raise UsageError(f"PARAMS gives {key} twice: keep one")
        given[key] = value
    return given
