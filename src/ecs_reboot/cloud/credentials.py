"""The function role's temporary credentials, read at each call: they rotate while an instance lives.

python3.10 and older hand them over in ``context.credentials``; python3.12 only in the environment.
"""

from collections.abc import Mapping
from typing import Any

from ecs_reboot.model import Value


class Credentials(Value):
    """An STS triple; ``security_token`` is empty for a long-term key pair (a laptop, never the function)."""

    access_key_id: str
    access_key_secret: str
    security_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(access_key_id={self.access_key_id[:6]}...)"

    __str__ = __repr__


class NoCredentials(RuntimeError):
    """Neither the context nor the environment holds any."""

    def __init__(self) -> None:
        super().__init__(
            "no credentials: context.credentials is missing and ALIBABA_CLOUD_ACCESS_KEY_ID / "
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set; give the function a role"
        )


def current(context: Any, environment: Mapping[str, str]) -> Credentials:
    """Return the credentials of this moment. Raises NoCredentials."""
    given = getattr(context, "credentials", None)
    found = Credentials(
        access_key_id=_of(given, "access_key_id") or environment.get("ALIBABA_CLOUD_ACCESS_KEY_ID", ""),
        access_key_secret=_of(given, "access_key_secret") or environment.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ""),
        security_token=_of(given, "security_token")
        if _of(given, "access_key_id")
        else environment.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
    )
    if not found.access_key_id or not found.access_key_secret:
        raise NoCredentials
    return found


def _of(given: Any, field: str) -> str:
    return str(getattr(given, field, None) or "")
