"""Where the import time of an accepted reboot goes: ``python -m bench.cold_start.import_time``, after ``make bench``.

Each module's own time under ``-X importtime``, the least of several runs, summed by what the module belongs to.
"""

import re
import subprocess
import sys
from pathlib import Path

from bench.cold_start import prepare, runs
from bench.cold_start.stub_server import Stub
from bench.places import PLACE

RUNS = 9
CALLS = ["DescribeInstances", "DescribeInstances", "TagResources", "DescribeInstances", "RebootInstances", "PutLogs"]

#: What a module belongs to, by the beginning of its name; the first that fits.
GROUPS = (
    ("ecs_reboot.events", "ecs_reboot.events"),
    ("ecs_reboot", "ecs_reboot, the rest"),
    ("index", "ecs_reboot, the rest"),
    ("pydantic", "pydantic's Rust core, small runtime"),
    ("pydantic_core", "pydantic's Rust core, small runtime"),
    ("platform", "platform, random, threading (SDK)"),
    ("random", "platform, random, threading (SDK)"),
    ("_random", "platform, random, threading (SDK)"),
    ("bisect", "platform, random, threading (SDK)"),
    ("_sha512", "platform, random, threading (SDK)"),
    ("threading", "platform, random, threading (SDK)"),
    ("_weakrefset", "platform, random, threading (SDK)"),
    ("encodings.idna", "IDNA codec (host names)"),
    ("stringprep", "IDNA codec (host names)"),
    ("unicodedata", "IDNA codec (host names)"),
    ("alibabacloud_ecs20140526", "SDK: ECS client and models"),
    ("alibabacloud_tea_openapi", "SDK: tea-openapi, darabonba, Tea"),
    ("darabonba", "SDK: tea-openapi, darabonba, Tea"),
    ("Tea", "SDK: tea-openapi, darabonba, Tea"),
    ("http", "http.client, socket"),
    ("socket", "http.client, socket"),
    ("_socket", "http.client, socket"),
    ("selectors", "http.client, socket"),
    ("array", "http.client, socket"),
    ("email", "email (for http.client)"),
    ("calendar", "email (for http.client)"),
    ("locale", "email (for http.client)"),
    ("string", "email (for http.client)"),
    ("quopri", "email (for http.client)"),
    ("ssl", "ssl"),
    ("_ssl", "ssl"),
    ("hashlib", "hashlib, hmac"),
    ("_hashlib", "hashlib, hmac"),
    ("_blake2", "hashlib, hmac"),
    ("hmac", "hashlib, hmac"),
    ("urllib", "urllib.parse, ipaddress"),
    ("ipaddress", "urllib.parse, ipaddress"),
    ("typing", "typing, contextlib, warnings"),
    ("_typing", "typing, contextlib, warnings"),
    ("contextlib", "typing, contextlib, warnings"),
    ("warnings", "typing, contextlib, warnings"),
    ("json", "json, re, collections, enum, datetime"),
    ("_json", "json, re, collections, enum, datetime"),
    ("re", "json, re, collections, enum, datetime"),
    ("enum", "json, re, collections, enum, datetime"),
    ("collections", "json, re, collections, enum, datetime"),
    ("functools", "json, re, collections, enum, datetime"),
    ("datetime", "json, re, collections, enum, datetime"),
    ("_datetime", "json, re, collections, enum, datetime"),
)


def main() -> None:
    """Print the table, for a page in Markdown."""
    with Stub() as stub:
        ours = _summed(stub, PLACE / "function", "index")
        floor = _summed(stub, PLACE / "floor", "floor")
    names = sorted({*ours, *floor}, key=lambda name: -ours.get(name, 0.0))
    print("| imports | ours, ms | floor, ms |\n| --- | --- | --- |")
    for name in [*names, "all"]:
        figures = (sum(table.values()) if name == "all" else table.get(name, 0.0) for table in (ours, floor))
        print("| {} | {:.1f} | {:.1f} |".format(name, *figures))


def _summed(stub: Stub, code: Path, module: str) -> dict[str, float]:
    least: dict[str, float] = {}
    for _ in range(RUNS):
        for name, milliseconds in _once(stub, code, module):
            least[name] = min(milliseconds, least.get(name, milliseconds))
    sums: dict[str, float] = {}
    for name, milliseconds in least.items():
        group = next((group for start, group in GROUPS if re.match(rf"{start}(\.|$)", name)), "everything else")
        sums[group] = sums.get(group, 0.0) + milliseconds
    return sums


def _once(stub: Stub, code: Path, module: str) -> list[tuple[str, float]]:
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(prepare.PROGRAMS / "driver.py")]
    done = subprocess.run(
        [*command, str(code), module, str(PLACE / "reboot.json")],
        env=runs.environment_of(stub, CALLS),
        capture_output=True,
        text=True,
        check=True,
    )
    rows = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr)
    return [(name, int(microseconds) / 1000) for microseconds, name in rows]


if __name__ == "__main__":
    main()
