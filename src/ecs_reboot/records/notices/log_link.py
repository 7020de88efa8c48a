"""The link of a notice: the log service's console, at the records of the run."""

import base64

#: The console shows from so long before a notice until so long after it. Seconds.
BEFORE, AFTER = 900, 3_600
_QUOTES = {"+": "%2B", "/": "%2F", "=": "%3D"}


def log_link(project: str, logstore: str, request_id: str, unix_time: float) -> str:
    """Return the address of the run's records in the log service's console; '' where there is no logstore."""
    if not project or not logstore:
        return ""
    query = base64.b64encode(f'request_id: "{request_id}"'.encode()).decode()
    quoted = "".join(_QUOTES.get(mark, mark) for mark in query)
    return (
        f"https://sls.console.aliyun.com/lognext/project/{project}/logsearch/{logstore}"
        f"?encode=base64&queryString={quoted}&queryTimeType=99"
        f"&startTime={int(unix_time) - BEFORE}&endTime={int(unix_time) + AFTER}"
    )
