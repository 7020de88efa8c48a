"""Who may call the local cloud: one long-term key pair, and role sessions with a security token.

CredentialError
  UnknownKey        no such AccessKey ID
  TokenMissing      a role session's key without its token
  TokenMalformed    a token nobody was given
  TokenMismatch     a token that belongs to another key
  TokenExpired      a session that is over
"""

import secrets
from datetime import datetime, timedelta, timezone
from hmac import compare_digest
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

SESSION_SECONDS = 3600
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class Identity(BaseModel):
    """Whom a credential stands for; ``name`` is the account for root and the role's name for a role session."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["root", "role"]
    name: str


class Credential(BaseModel):
    """A key pair, and for a role session its token and end (aware; None = never ends)."""

    model_config = ConfigDict(frozen=True)

    identity: Identity
    access_key_id: str
    access_key_secret: str
    security_token: str = ""
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Credential({self.identity.kind} {self.identity.name}, {self.access_key_id})"

    __str__ = __repr__


class CredentialError(Exception):
    """A credential that opens nothing."""


class UnknownKey(CredentialError):
    """No such AccessKey ID."""


class TokenMissing(CredentialError):
    """The key of a role session came without its security token."""


class TokenMalformed(CredentialError):
    """A security token that was given to nobody."""


class TokenMismatch(CredentialError):
    """A security token that belongs to another key."""


class TokenExpired(CredentialError):
    """The role session is over."""


class KeyPair(NamedTuple):
    """An AccessKey."""

    access_key_id: str
    access_key_secret: str

    def __repr__(self) -> str:
        return f"KeyPair({self.access_key_id})"


class AccountCredentials:
    """The credentials of one account: plainly fake, and drawn so that nobody can guess them.

    ``key`` is the account's own, where it is not to be drawn; ``chosen`` says whether it was.
    """

    def __init__(self, account: str, key: KeyPair | None = None) -> None:
        self.chosen = key is not None
        key = key or KeyPair("local-" + _draw(20), "local-" + _draw(30))
        self.root = Credential(
            identity=Identity(kind="root", name=account),
            access_key_id=key.access_key_id,
            access_key_secret=key.access_key_secret,
        )
        self._by_key = {self.root.access_key_id: self.root}

    def assume_role(self, name: str, *, seconds: float = SESSION_SECONDS) -> Credential:
        """Start a session of the role ``name`` that ends ``seconds`` of real time from now."""
        credential = Credential(
            identity=Identity(kind="role", name=name),
            access_key_id="STS.local-" + _draw(20),
            access_key_secret="local-" + _draw(38),
            security_token="local-token-" + _draw(64),
            expires_at=datetime.now(timezone.utc) + timedelta(seconds=seconds),
        )
        self._by_key[credential.access_key_id] = credential
        return credential

    def find(self, access_key_id: str, security_token: str, now: datetime) -> Credential:
        """Return the credential that a request names; raises a CredentialError. Its signature is yet to be checked."""
        credential = self._by_key.get(access_key_id)
        if credential is None:
            raise UnknownKey(f"no AccessKey ID {access_key_id!r}")
        if not security_token and credential.security_token:
            raise TokenMissing(f"{access_key_id} is a role session's key: send its security token too")
        if not compare_digest(security_token.encode(), credential.security_token.encode()):
            known = any(security_token == other.security_token for other in self._by_key.values())
            raise (TokenMismatch if known or not credential.security_token else TokenMalformed)(
                f"the security token is not that of {access_key_id}"
            )
        if credential.expires_at is not None and now >= credential.expires_at:
            raise TokenExpired(f"the session of {access_key_id} ended at {credential.expires_at.isoformat()}")
        return credential


def _draw(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
