"""The packaged function, run once: in a clean interpreter that sees the package and the standard library only.

It reboots an instance of the local cloud and refuses an event, and every module it has loaded must lie in the package
or come with the interpreter.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from bundle import BuildError

_SECONDS = 60

_PROGRAM = """
import json, os, sys, types
sys.path.insert(0, sys.argv[1])
import index
index.initialize(None)
given = json.loads(sys.argv[2])
context = types.SimpleNamespace(
    request_id="smoke",
    region="cn-hangzhou",
    credentials=types.SimpleNamespace(**given["credentials"]),
    function=types.SimpleNamespace(timeout=60),
)
statuses = [index.handle(event.encode(), context)["status"] for event in given["events"]]
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
loaded = {name: os.path.realpath(file) for name, file in files.items() if file and name != "__main__"}
print(json.dumps({"statuses": statuses, "modules": loaded, "standard": os.path.realpath(os.path.dirname(os.__file__))}))
"""


def run(code: Path, interpreter: str) -> list[str]:
    """Run the function; return the names of the package's modules that it loaded. Raises BuildError."""
    from localcloud.account import fleet  # noqa: PLC0415 - a web server: only where something is run
    from localcloud.account.cloud import Cloud  # noqa: PLC0415
    from localcloud.server.server import running  # noqa: PLC0415

    declared = fleet.default()
    target = declared.instances[0]
    event = {"instance_ids": [target.instance_id], "region_id": target.region_id, "reason": "smoke"}
    cloud = Cloud.from_fleet(declared)
    root = cloud.credentials.root
    given = {
        "credentials": {"access_key_id": root.access_key_id, "access_key_secret": root.access_key_secret},
        "events": [json.dumps(event), "{}"],
    }
    with running(cloud, port=0) as server:
        done = subprocess.run(
            [interpreter, "-I", "-S", "-B", "-c", _PROGRAM, str(code), json.dumps(given)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env=dict.fromkeys(("ECS_ENDPOINT", "ESS_ENDPOINT", "CMS_ENDPOINT", "SLS_ENDPOINT"), server.url)
            | {"LOG_PROJECT": "", "LOGSTORE": ""},
        )
    if done.returncode:
        raise BuildError(f"the packaged function does not run:\n{done.stderr.strip() or done.stdout.strip()}")
    report = json.loads(done.stdout.splitlines()[-1])
    if report["statuses"] != ["completed", "rejected"]:
        raise BuildError(f"the packaged function answered {report['statuses']}:\n{done.stdout.strip()}")
    return _inside(report, code.resolve())


def _inside(report: dict[str, Any], code: Path) -> list[str]:
    inside, outside = [], []
    for name, file in report["modules"].items():
        path = Path(file)
        if path.is_relative_to(code):
            inside.append(name)
        elif not path.is_relative_to(report["standard"]) or "site-packages" in path.parts:
            outside.append(f"{name} ({file})")
    if outside:
        raise BuildError(f"the packaged function loads what is not in it: {', '.join(outside)}")
    return sorted(inside)
