"""Secrets never leave the function: their values are taken out of every record and answer, whatever quoted them.

The readers do not quote a token on purpose; this is the last door, for an event that holds it where nobody looked.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "[secret]"
#: Shorter values are too common in other words to be taken out; such a secret protects nothing anyway.
LEAST_CHARACTERS = 4


class Redactor:
    """Masks the values of secret settings: as given, each word of a list, and as an address encodes them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        words = {word for secret in secrets for word in (secret.strip(), *re.split(r"[,\s]+", secret))}
        plain = {word for word in words if len(word) >= LEAST_CHARACTERS}
        forms = plain | {_percent_encoded(word) for word in plain} | {_percent_encoded(word).lower() for word in plain}
        # The longest first: a secret may hold another.
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def __call__(self, value: Any) -> Any:
        """Return the JSON-able value with every secret in its texts masked; itself where there are no secrets."""
        if not self._forms:
            return value
        if isinstance(value, str):
            for form in self._forms:
                value = value.replace(form, MASK)
            return value
        if isinstance(value, Mapping):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item) for item in value]
        return value


def _percent_encoded(text: str) -> str:
    unreserved = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    encoded = text.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in unreserved else f"%{byte:02X}" for byte in encoded)
