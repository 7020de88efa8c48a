"""What a person gives on the command line as words: `SET` and `PARAMS` hold ``KEY=VALUE``, quoted as in a shell."""

import shlex


class UsageError(ValueError):
    """The command can't be carried out as given; the text is the whole sentence for the user."""


def key_values(variable: str, text: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` words; ``variable`` names them in messages.

    Raises UsageError for a word that is none, and for a key that is given twice: nobody knows which one was meant.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{variable} {text!r} has an unfinished quotation ({error}): close it") from error
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise UsageError(
                f"{variable} has the word {word!r}: write KEY=VALUE, with quotes around a value with spaces"
            )
        if key in given:
            raise UsageError(f"{variable} gives {key} twice: keep one")
        given[key] = value
    return given
