"""What a service refused, and what did not answer, in one sentence that says what to change."""

import re

from Tea.exceptions import TeaException

_SECRET, _KEY_ID, _TOKEN = (
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)
#: Start of a code -> what is wrong, and the variable. The codes are those of the RPC services.
_WRONG = {
    "SignatureDoesNotMatch": f"the secret is not that of this AccessKey: look at {_SECRET}",
    "IncompleteSignature": f"the secret is not that of this AccessKey: look at {_SECRET}",
    "InvalidAccessKeyId": f"there is no such AccessKey, or it is disabled: look at {_KEY_ID}",
    "InvalidRegionId": "there is no region{region}, or this account may not use it: look at REGION",
    "InvalidSecurityToken": f"the token has expired or belongs to another key: look at {_TOKEN}",
}
_ADDRESS = re.compile(r"host='?\\?'?(?P<host>[^'\\,]+)\\?'?, port=(?P<port>\d+)|(?P<url>https?://[\w.:-]+)")
_REASON = re.compile(r"\[Errno -?\d+\] (?P<reason>[A-Za-z ]+)|timed out|timeout", re.IGNORECASE)


def sentence(error: TeaException, endpoint: str = "", region: str = "") -> str:
    """Return the sentence. ``endpoint`` is the one address of all services, '' for each service's own.

    ``region`` is the one that was asked.
    """
    code, message = str(error.code or ""), str(error.message)
    if not code:
        address = _ADDRESS.search(message)
        found = (address["url"] or address["host"]) if address else "the service"
        reason = _REASON.search(message)
        told = f" ({(reason['reason'] or reason[0]).strip()})" if reason else ""
        remedy = "is `make serve` running there? Look at ENDPOINT" if endpoint else "look at the network, and at REGION"
        return f"{endpoint or found} does not answer{told}: {remedy}"
    advice = next((advice for start, advice in _WRONG.items() if code.startswith(start)), "")
    return f"{code}: {advice.format(region=f' {region}' if region else '') or message}"
