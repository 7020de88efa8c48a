"""The runtime, with real child processes running small functions."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import localcloud
from localcloud.functioncompute.function import RoleCredentials
from localcloud.functioncompute.instance import FunctionInstance, InstanceUnavailable

SOURCE = str(Path(localcloud.__file__).parent.parent)
ROLE = RoleCredentials("STS.key", "secret", "token")
UTC_LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

Make = Callable[..., FunctionInstance]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def test_the_event_arrives_as_the_bytes_it_is(instance_of: Make) -> None:
    event = bytes(range(256)) * 1000
    invocation = instance_of("def handle(event, context):\n    assert type(event) is bytes\n    return event").invoke(
        event
    )
    assert (invocation.payload, invocation.error) == (event, "")


def test_the_initializer_runs_once_and_the_instance_stays_warm(instance_of: Make) -> None:
    code = """
import os
calls = []
def initialize(context):
    calls.append("initialize " + context.request_id)
def handle(event, context):
    calls.append("handle " + context.request_id)
    return {"calls": calls, "pid": os.getpid()}
"""
    instance = instance_of(code, initializer="index.initialize")
    first = json.loads(instance.invoke(b"", "r1").payload)
    second = json.loads(instance.invoke(b"", "r2").payload)
    assert second["calls"] == ["initialize r1", "handle r1", "handle r2"]
    assert second["pid"] == first["pid"]


def test_a_failed_initializer_fails_the_invocation_and_ends_the_instance(instance_of: Make) -> None:
    code = "def initialize(context):\n    raise RuntimeError('no settings')\ndef handle(event, context):\n    return 1"
    instance = instance_of(code, initializer="index.initialize")
    invocation = instance.invoke(b"", "r1")
    answer = json.loads(invocation.payload)
    assert invocation.error == "UnhandledInvocationError"
    assert (answer["errorType"], answer["errorMessage"]) == ("RuntimeError", "no settings")
    assert b"FC Initialize End RequestId: r1, Error:" in invocation.logs
    assert b"FC Invoke" not in invocation.logs
    assert not instance.alive
    with pytest.raises(InstanceUnavailable, match="start another"):
        instance.invoke(b"")


def test_much_output_neither_blocks_nor_gets_lost(instance_of: Make) -> None:
    code = """
def handle(event, context):
    for n in range(40000):
        print(f"{n:0100d}")
    return "x" * 3_000_000
"""
    invocation = instance_of(code).invoke(b"")
    assert len(invocation.payload) == 3_000_000
    assert invocation.logs.count(b"\n") == 40_003


def test_a_timeout_stops_the_function_and_all_that_it_started(instance_of: Make, tmp_path: Path) -> None:
    code = """
import os, subprocess, sys, time
def handle(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open("pids.part", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename("pids.part", "pids")
    time.sleep(600)
"""
    instance = instance_of(code, timeout=1)
    invocation = instance.invoke(b"", "r1")
    assert invocation.timed_out
    assert invocation.error == "UnhandledInvocationError"
    message = json.loads(invocation.payload)["errorMessage"]
    assert re.fullmatch(r"Function timed out after 1 seconds \(maxMemoryUsage: [1-9]\d*\.\d\dMB\)", message)
    assert f"FC Invoke End RequestId: r1, Error: {message}" in invocation.logs.decode()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text(encoding="ascii").split()]
    assert wait_until(lambda: not any(map(is_running, pids)))
    assert not instance.alive


def test_a_function_that_ignores_signals_is_stopped_too(instance_of: Make) -> None:
    code = """
import signal, time
def handle(event, context):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
"""
    assert instance_of(code, timeout=1).invoke(b"").timed_out


@pytest.mark.parametrize("older_macos", [False, True])
def test_between_calls_it_is_frozen_and_its_end_is_seen(
    instance_of: Make, monkeypatch: pytest.MonkeyPatch, *, older_macos: bool
) -> None:
    if older_macos:  # there Python 3.11 and 3.12 have none
        monkeypatch.delattr(os, "waitid")
    instance = instance_of("import os\ndef handle(event, context):\n    return os.getpid()")
    for _ in range(2):
        pid = int(instance.invoke(b"").payload)
        assert Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"
    os.kill(pid, signal.SIGKILL)
    instance._freeze()  # as at the end of a call whose function died after its answer
    assert instance._process.poll() == -signal.SIGKILL


@pytest.mark.parametrize("end", ["sys.exit(0)", "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_an_exit_is_reported_as_one(instance_of: Make, end: str) -> None:
    instance = instance_of(f"import os, sys\ndef handle(event, context):\n    print('before')\n    {end}")
    invocation = instance.invoke(b"")
    message = json.loads(invocation.payload)["errorMessage"]
    assert message.startswith("Process exited unexpectedly before completing request (duration: ")
    assert not invocation.timed_out
    assert b"before\n" in invocation.logs
    assert not instance.alive


def test_too_much_memory_ends_the_function(instance_of: Make) -> None:
    code = "import time\ndef handle(event, context):\n    block = bytearray(200_000_000)\n    time.sleep(20)"
    invocation = instance_of(code, memory_mb=128).invoke(b"")
    assert invocation.duration < 10
    assert invocation.max_memory_mb > 128
    assert "exited unexpectedly" in json.loads(invocation.payload)["errorMessage"]


def test_an_instance_is_frozen_between_calls(instance_of: Make) -> None:
    code = """
import threading, time
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
def handle(event, context):
    return ticks
"""
    instance = instance_of(code)
    before = int(instance.invoke(b"").payload)
    time.sleep(0.5)
    assert int(instance.invoke(b"").payload) - before < 10


def test_closing_ends_the_process_and_can_be_done_twice(instance_of: Make) -> None:
    instance = instance_of("import os\ndef handle(event, context):\n    return os.getpid()")
    pid = int(instance.invoke(b"").payload)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    instance.close()
    instance.close()
    assert wait_until(lambda: not is_running(pid))
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before - 3


def test_a_frozen_instance_does_not_outlive_a_killed_runtime(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(
        "import os\ndef handle(event, context):\n    return os.getpid()", encoding="utf-8"
    )
    runtime = f"""
import os, signal
from pathlib import Path
from localcloud.functioncompute.function import Function, RoleCredentials
from localcloud.functioncompute.instance import FunctionInstance
instance = FunctionInstance(Function("reboot", Path({str(tmp_path)!r}), lambda: RoleCredentials("a", "b", "c")))
print(instance.invoke(b"").payload.decode(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", runtime], capture_output=True, check=False, env={"PYTHONPATH": SOURCE})
    assert done.returncode == -signal.SIGKILL
    assert wait_until(lambda: not is_running(int(done.stdout)))
