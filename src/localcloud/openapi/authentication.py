"""Whose an OpenAPI request is: its key, its signature in either scheme, its time, and its nonce, which is good once."""

from datetime import datetime, timezone

from localcloud.account import credentials
from localcloud.account.credentials import AccountCredentials, Identity
from localcloud.openapi import signature
from localcloud.openapi.errors import ApiError
from localcloud.openapi.nonces import Nonces

_CODES: dict[type[credentials.CredentialError], str] = {
    credentials.UnknownKey: "InvalidAccessKeyId.NotFound",
    credentials.TokenMissing: "MissingSecurityToken",
    credentials.TokenMalformed: "InvalidSecurityToken.Malformed",
    credentials.TokenMismatch: "InvalidSecurityToken.MismatchWithAccessKey",
    credentials.TokenExpired: "InvalidSecurityToken.Expired",
}


class Authentication:
    """Checks requests to one service: a nonce is good once for each."""

    def __init__(self, known: AccountCredentials) -> None:
        self._credentials = known
        self._nonces = Nonces()

    def identity_of(self, request: signature.OpenApiRequest) -> Identity:
        """Return whose a request is. Raises ApiError."""
        now = datetime.now(timezone.utc)
        signed = signature.read(request)
        try:
            credential = self._credentials.find(signed.access_key_id, signed.security_token, now)
        except credentials.CredentialError as error:
            raise ApiError(_CODES[type(error)], str(error)) from None
        signature.check_time(signed, now)
        signature.check(signed, credential.access_key_secret)
        if self._nonces.used(signed.access_key_id, signed.nonce, now):
            raise ApiError("SignatureNonceUsed", "sign each request with a nonce of its own")
        return credential.identity
