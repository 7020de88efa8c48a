"""A few invocations on the local cloud, and what they left behind in each form that can be exported."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.commands.project_function import project_function
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.server.server import running

ROOT = Path(__file__).resolve().parent.parent.parent
EVENTS = (
    "manual-by-id.json",
    "alarm-firing.form.txt",
    "alarm-recovered.form.txt",
    "timer-by-tag.json",
    "manual-misspelt.json",
)
OVERRIDE = {
    "instance_ids": ["i-bp1a2b3c4d5e6f7g8h9i"],
    "region_id": "cn-hangzhou",
    "override": ["recently_started"],
    "reason": "agreed with the owner",
}
SETTINGS = {"VERIFY_SECONDS": "30", "MAX_EVENT_AGE_SECONDS": "0"}


class Night(NamedTuple):
    """``logs``: standard output of the function; ``stored``: the lines of the logstore, as GetLogs gives them."""

    logs: str
    stored: list[dict[str, str]]


def night() -> Night:
    """Have the function run, with a web-01 that is rebooted and then refused for several reasons."""
    cloud = Cloud.from_fleet(fleet.default(), time_scale=50.0)
    logs = b""
    with running(cloud, port=0) as server, FunctionInstance(project_function(cloud, server.url, SETTINGS)) as instance:
        for name in EVENTS:
            logs += instance.invoke((ROOT / "events" / name).read_bytes()).logs
        logs += instance.invoke(json.dumps(OVERRIDE).encode()).logs
        stored = _get_logs(server.url, cloud)
    return Night(logs.decode(), stored)


def _get_logs(url: str, cloud: Cloud) -> list[dict[str, str]]:
    from aliyun.log import LogClient

    root = cloud.credentials.root
    client = LogClient(url, root.access_key_id, root.access_key_secret)
    found = client.get_log("", "records", 0, 2**31 - 1, size=100)
    return [
        {"__time__": str(row.get_time()), "__source__": row.get_source(), **row.contents} for row in found.get_logs()
    ]


def lines(rows: list[dict[str, Any]]) -> str:
    """Write rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
