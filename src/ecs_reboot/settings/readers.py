"""How the text of a variable is read. Each reader raises ValueError with the remedy."""

import re
from collections.abc import Callable

from ecs_reboot.ledger import entry as ledger

_FLAGS = {
    "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


def text(written: str) -> str:
    """Return the text without the blanks around it."""
    return written.strip()


def flag(written: str) -> bool:
    """Return whether a switch is on."""
    try:
        return _FLAGS[written.strip().lower()]
    except KeyError:
        raise ValueError("say true or false") from None


class Choice:
    """Reads one of some words, whatever their case."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def __call__(self, written: str) -> str:
        """Return the word as it is spelt among those allowed."""
        for word in self.allowed:
            if written.strip().lower() == word.lower():
                return word
        raise ValueError(f"say one of {', '.join(self.allowed)}")


def shaped(pattern: str, advice: str) -> Callable[[str], str]:
    """Return a reader of texts that match a regular expression as a whole."""

    def parse(written: str) -> str:
        if not re.fullmatch(pattern, written.strip()):
            raise ValueError(advice)
        return written.strip()

    return parse


def number(low: float, high: float, *, whole: bool = True) -> Callable[[str], float]:
    """Return a reader of numbers, both bounds allowed."""
    kind = "a whole number" if whole else "a number"

    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}" if whole else r"[0-9]{1,9}(\.[0-9]{1,6})?", text.strip()):
            raise ValueError(f"give {kind} from {low:g} to {high:g}")
        value = int(text) if whole else float(text)
        if not low <= value <= high:
            raise ValueError(f"give {kind} from {low:g} to {high:g}")
        return value

    return parse


def words(*, allowed: tuple[str, ...] = ()) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of words between commas, out of those allowed; any words where none are named."""

    def parse(text: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(",") if word.strip())
        unknown = [word for word in words if allowed and word not in allowed]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not known; give a comma-separated list out of {', '.join(allowed)}")
        return words

    return parse


def opt_in_tag(written: str) -> tuple[str, str] | None:
    """Return key and value of the tag; None where none is asked for."""
    if not written.strip():
        return None
    key, separator, value = (part.strip() for part in written.partition("="))
    if not separator or not key or not value:
        raise ValueError("give key=value, such as ecs-reboot=enabled, or nothing to ask for no opt-in")
    if key.startswith(("acs:", "aliyun")) or key in (ledger.KEY, ledger.OBSERVED_KEY):
        raise ValueError(f"the key {key!r} is reserved; choose another, such as ecs-reboot")
    return key, value


def endpoint(written: str) -> str:
    """Return an address without a slash at its end."""
    return _address(written).rstrip("/")


def keyword(written: str) -> str:
    """Return a word that a chat's filter looks for."""
    if len(written.strip()) > 40 or not written.strip().isprintable():  # noqa: PLR2004 - a word, not a text
        raise ValueError("give at most 40 printable characters, or nothing")
    return written.strip()


region = shaped(r"([a-z]{2}(-[a-z0-9]+)+)?", "give a region ID such as cn-hangzhou, or nothing for the function's own")
name = shaped(r"([a-z0-9][a-z0-9_-]{1,61}[a-z0-9])?", "give 3 to 63 lower-case letters, digits and '-', or nothing")
bucket = shaped(r"([a-z0-9][a-z0-9-]{1,61}[a-z0-9])?", "give 3 to 63 lower-case letters, digits and '-', or nothing")
table_instance = shaped(
    r"([A-Za-z](?!.*-$)[A-Za-z0-9-]{2,15})?",
    "give 3 to 16 letters, digits and '-', first a letter and last no '-', or nothing",
)
table_name = shaped(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "give 1 to 255 letters, digits and '_', first no digit")
stack_name = shaped(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}", "give 1 to 255 letters, digits, '-' and '_', first a letter or digit"
)
_address = shaped(
    r"((https?://)?[A-Za-z0-9.\-\[\]:]+/?)?",
    "give a host, host:port or http(s)://host:port, or nothing for the region's own endpoint",
)
