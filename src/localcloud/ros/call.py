"""One authenticated call of an API of the account's side."""

from collections.abc import Mapping
from typing import NamedTuple

from localcloud.account.credentials import Identity
from localcloud.openapi.errors import ApiError


class RpcCall(NamedTuple):
    """One authenticated call."""

    action: str
    parameters: Mapping[str, str]
    identity: Identity

    def text(self, name: str, *, needed: bool = True) -> str:
        """Return a parameter. Raises ApiError where it is needed and not there."""
        value = self.parameters.get(name, "")
        if needed and not value:
            raise ApiError("MissingParameter", f"parameter {name} is needed")
        return value
