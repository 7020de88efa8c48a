"""Many real processes, each of which handles one event at the same moment: `python crowd.py DIRECTORY < CALLS`.

CALLS is a JSON list of events. The parent loads all of the function once and forks, so that the processes meet at the
cloud and not at the imports; the children wait for each other, run the handler, and leave what they printed in
DIRECTORY/N.log and what they returned, or raised, in DIRECTORY/N.json.
"""

import importlib
import json
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import ecs_reboot
from ecs_reboot import handler


def load_all() -> None:
    """Import every module of the function, whatever an event would have needed."""
    for module in pkgutil.walk_packages(ecs_reboot.__path__, "ecs_reboot."):
        importlib.import_module(module.name)


def child(number: int, event: dict[str, object], out: Path, ready: int, go: int) -> None:
    """Handle one event, and end."""
    sys.stdout = (out / f"{number}.log").open("w", encoding="utf-8")
    context = SimpleNamespace(request_id=f"r-{number}", region="cn-hangzhou", function=SimpleNamespace(timeout=60))
    os.write(ready, b".")
    os.read(go, 1)
    try:
        answer = handler.handle(json.dumps(event).encode(), context)
    except Exception:  # noqa: BLE001 - what the function raises is a result here
        answer = {"raised": traceback.format_exc()}
    sys.stdout.close()
    (out / f"{number}.json").write_text(json.dumps(answer), encoding="utf-8")


def main(directory: str) -> None:
    """Fork, let all go at once, wait for all."""
    events = json.load(sys.stdin)
    load_all()
    ready, told = os.pipe()
    wait, go = os.pipe()
    children = []
    for number, event in enumerate(events):
        pid = os.fork()
        if pid == 0:
            child(number, event, Path(directory), told, wait)
            os._exit(0)
        children.append(pid)
    waiting = len(children)
    while waiting:
        waiting -= len(os.read(ready, waiting))
    os.write(go, b"." * len(children))
    for pid in children:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(sys.argv[1])
