"""The words of SET and PARAMS: ``KEY=VALUE``, quoted as in a shell."""

import shlex


class UsageError(Exception):
    """The command can't be carried out as given; the text is the whole sentence for the user."""


def settings_of(text: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` words, quoted as in a shell; raises UsageError for a word that is not one."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"SET {text!r} has an unfinished quotation ({error}): close it") from error
    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise UsageError(f"SET has the word {word!r}: write KEY=VALUE, with quotes around a value with spaces")
        settings[key] = value
    return settings
