"""Make text of others safe to print: instance names, tags and messages may hold what moves a terminal's cursor."""

import sys


def printable(text: str) -> str:
    """Return the text with every control, escape and direction character written as its code; line ends stay.

    ESC, C1 codes and bidirectional marks could rewrite what a person reads, or make his terminal do things.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)


def write_line(text: str) -> None:
    """Write one line, or several, to standard output."""
    sys.stdout.write(printable(text) + "\n")


def write_error(text: str) -> None:
    """Write one line, or several, to standard error."""
    sys.stderr.write(printable(text) + "\n")
