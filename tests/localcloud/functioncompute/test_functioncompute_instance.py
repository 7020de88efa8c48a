"""The runtime, with real child processes running small functions."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import localcloud
from localcloud.functioncompute.function import Credentials, Function
from localcloud.functioncompute.instance import Instance, InstanceUnavailable

SOURCE = str(Path(localcloud.__file__).parent.parent)
ROLE = Credentials("STS.key", "secret", "token")
UTC_LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

Make = Callable[..., Instance]


@pytest.fixture
def instance_of(tmp_path: Path) -> Iterator[Make]:
    made: list[Instance] = []

    def make(code: str, **settings: Any) -> Instance:
        (tmp_path / "index.py").write_text(code, encoding="utf-8")
        settings = {"timeout": 20, **settings}
        instance = Instance(Function("reboot", tmp_path, settings.pop("credentials", lambda: ROLE), **settings))
        made.append(instance)
        return instance

    yield make
    for instance in made:
        instance.close()


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


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        ("'é'", "é".encode()),
        ("b'\\xff\\x00'", b"\xff\x00"),
        ("{'a': [1, None]}", b'{\n    "a": [\n        1,\n        null\n    ]\n}'),
        ("None", b"null"),
    ],
)
def test_the_answer_becomes_the_response_body(instance_of: Make, answer: str, payload: bytes) -> None:
    assert instance_of(f"def handle(event, context):\n    return {answer}").invoke(b"").payload == payload


def test_nothing_of_this_machine_reaches_the_function(instance_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere/of/the/host")
    code = """
import os, sys
def handle(event, context):
    return {"env": dict(os.environ), "path": sys.path, "cwd": os.getcwd()}
"""
    instance = instance_of(code, environment={"MINE": "1"})
    seen = json.loads(instance.invoke(b"").payload)
    assert {name for name in seen["env"] if not name.startswith(("FC_", "ALIBABA_CLOUD_"))} <= {
        "PATH",
        "LANG",
        "MINE",
        "LC_CTYPE",
    }
    code_path = str(instance.function.code_path)
    assert (seen["path"][0], seen["cwd"]) == (code_path, code_path)
    own = str(Path(localcloud.__file__).parent)
    assert not [entry for entry in seen["path"] if entry.startswith((own, "/nowhere"))]
    assert seen["env"]["FC_FUNCTION_NAME"] == "reboot"


def test_the_local_cloud_is_not_importable_even_from_its_own_source_tree(instance_of: Make) -> None:
    instance = instance_of(
        f"import sys\nsys.path.insert(0, {SOURCE!r})\ndef handle(event, context):\n    import localcloud"
    )
    assert json.loads(instance.invoke(b"").payload)["errorType"] == "ModuleNotFoundError"


@pytest.mark.parametrize(("runtime", "has_credentials"), [("python3.10", True), ("python3.12", False)])
def test_the_context_is_that_of_the_declared_runtime(instance_of: Make, runtime: str, *, has_credentials: bool) -> None:
    code = """
def handle(event, context):
    function = vars(context.function)
    credentials = vars(context.credentials) if hasattr(context, "credentials") else None
    return {"id": context.request_id, "region": context.region, "account": context.account_id, "function": function,
            "credentials": credentials, "service": hasattr(context, "service"), "logs": hasattr(context, "log_project")}
"""
    seen = json.loads(instance_of(code, runtime=runtime, region="cn-beijing", timeout=7).invoke(b"", "req-1").payload)
    assert (seen["id"], seen["region"], seen["service"]) == ("req-1", "cn-beijing", has_credentials)
    assert seen["function"]["handler"] == "index.handle"
    assert (seen["function"]["memory"], seen["function"]["timeout"]) == (512, 7)
    aliases = {
        "accessKeyId": ROLE.access_key_id, "accessKeySecret": ROLE.access_key_secret,
        "securityToken": ROLE.security_token,
    }  # fmt: skip
    assert seen["credentials"] == (dict(ROLE._asdict()) | aliases if has_credentials else None)
    assert seen["logs"] is not has_credentials


def test_the_contexts_credentials_are_those_of_the_moment_and_the_variables_those_of_the_start(
    instance_of: Make,
) -> None:
    numbers = iter(range(100))
    instance = instance_of(
        "import os\ndef handle(event, context):\n"
        "    return context.credentials.access_key_id + ' ' + os.environ['ALIBABA_CLOUD_ACCESS_KEY_ID']",
        credentials=lambda: Credentials(f"STS.{next(numbers)}", "secret", "token"),
    )
    first, second = (instance.invoke(b"").payload.decode().split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1]


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


def test_an_exception_becomes_the_documented_error_json(instance_of: Make) -> None:
    code = "def inner():\n    raise ValueError('bad é')\ndef handle(event, context):\n    inner()"
    instance = instance_of(code)
    invocation = instance.invoke(b"", "r1")
    answer = json.loads(invocation.payload)
    path = instance.function.code_path / "index.py"
    assert invocation.error == "UnhandledInvocationError"
    assert answer == {
        "errorMessage": "bad é",
        "errorType": "ValueError",
        "stackTrace": [
            [f'File "{path}"', "line 4", "in handle", "inner()"],
            [f'File "{path}"', "line 2", "in inner", "raise ValueError('bad é')"],
        ],
    }
    assert "ValueError: bad é" in invocation.logs.decode()
    assert invocation.logs.endswith(b"FC Invoke End RequestId: r1, Error: Unhandled function error\n")
    assert instance.alive


def test_an_answer_that_is_not_json_is_an_error_of_the_function(instance_of: Make) -> None:
    invocation = instance_of("def handle(event, context):\n    return {1, 2}").invoke(b"")
    assert json.loads(invocation.payload)["errorType"] == "TypeError"


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("absent.handle", "ImportModuleError", "Unable to import module 'absent'"),
        ("index.absent", "HandlerNotFound", "Handler 'absent' is missing on module 'index'"),
    ],
)
def test_a_handler_that_is_not_there(instance_of: Make, handler: str, error_type: str, message: str) -> None:
    answer = json.loads(instance_of("", handler=handler).invoke(b"").payload)
    assert (answer["errorType"], answer["errorMessage"]) == (error_type, message)


def test_code_with_a_syntax_error_is_said_so(instance_of: Make) -> None:
    answer = json.loads(instance_of("def handle(event, context:\n").invoke(b"").payload)
    assert answer["errorType"] == "UserCodeSyntaxError"


def test_the_answer_is_written_as_the_service_writes_it(instance_of: Make) -> None:
    answer = instance_of("def handle(event, context):\n    return {'b': '重启', 'a': [1]}").invoke(b"").payload
    assert answer == json.dumps({"b": "重启", "a": [1]}, indent=4, sort_keys=True).encode()


def test_warnings_are_silent_and_layers_are_on_the_path(instance_of: Make) -> None:
    code = "import sys, warnings\ndef handle(event, context):\n    warnings.warn('loud')\n    return sys.path[:2]"
    invocation = instance_of(code).invoke(b"")
    assert json.loads(invocation.payload)[1] == "/opt/python"
    assert b"loud" not in invocation.logs


def test_a_handler_in_a_package(instance_of: Make, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "deep.py").write_text("def handle(event, context):\n    return 'deep'", encoding="utf-8")
    for handler in ("inside.deep.handle", "inside/deep.handle"):
        assert instance_of("", handler=handler).invoke(b"").payload == b"deep"


def test_the_log_is_what_the_service_shows(instance_of: Make) -> None:
    code = """
import logging, sys
logging.getLogger().info("while loading")
def initialize(context):
    logging.getLogger("some.module").warning("ready")
def handle(event, context):
    print("printed")
    logging.getLogger().info("root %s", 1)
    logging.getLogger().debug("too fine")
    assert context.logger is None
    context.getLogger().error("mine")
    context.getLogger().info("mine too")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("no line end")
"""
    instance = instance_of(code, initializer="index.initialize")
    expected = [
        "FC Initialize Start RequestId: r1",
        f"{UTC_LINE} r1 \\[INFO\\] while loading",
        f"{UTC_LINE} r1 \\[WARNING\\] ready",
        "FC Initialize End RequestId: r1",
        "FC Invoke Start RequestId: r1",
        "printed",
        f"{UTC_LINE} r1 \\[INFO\\] root 1",
        f"{UTC_LINE} r1 \\[ERROR\\] mine",
        f"{UTC_LINE} r1 \\[INFO\\] mine too",
        "to stderr",
        "no line end",
        "FC Invoke End RequestId: r1",
    ]
    lines = instance.invoke(b"", "r1").logs.decode().splitlines()
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)
    assert " r2 [INFO] root 1" in instance.invoke(b"", "r2").logs.decode()


def test_much_output_neither_blocks_nor_gets_lost(instance_of: Make) -> None:
    code = """
def handle(event, context):
    for n in range(40000):
        print(f"{n:0100d}")
    return "x" * 3_000_000
"""
    invocation = instance_of(code).invoke(b"")
    assert len(invocation.payload) == 3_000_000
    assert invocation.logs.count(b"\n") == 40_002


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
from localcloud.functioncompute.function import Credentials, Function
from localcloud.functioncompute.instance import Instance
instance = Instance(Function("reboot", Path({str(tmp_path)!r}), lambda: Credentials("a", "b", "c")))
print(instance.invoke(b"").payload.decode(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", runtime], capture_output=True, check=False, env={"PYTHONPATH": SOURCE})
    assert done.returncode == -signal.SIGKILL
    assert wait_until(lambda: not is_running(int(done.stdout)))
