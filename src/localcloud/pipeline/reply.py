"""What a service answers, before it is written as an HTTP answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What a service answers; ``code`` is empty for a success. ``effect``: something changed.

    ``audit`` and ``remarks`` are for the audit: more of the call's parameters, and fields of its entry. ``request_id``
    replaces the drawn one.
    """

    status: int
    body: bytes
    code: str = ""
    headers: Mapping[str, str] = {}
    media_type: str = "application/json"
    audit: Mapping[str, Any] = {}
    remarks: Mapping[str, object] = {}
    effect: bool = False
    request_id: str = ""
