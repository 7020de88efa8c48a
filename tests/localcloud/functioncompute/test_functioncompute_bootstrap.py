"""What the program inside an instance does, point by point as the public copies of Function Compute's own do it."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import localcloud
from localcloud.functioncompute.function import RoleCredentials
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.functioncompute.invocation import Invocation

SOURCE = str(Path(localcloud.__file__).parent.parent)
UTC_LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
MOST_CHARACTERS = 131_072

Make = Callable[..., FunctionInstance]


def failed(invocation: Invocation) -> dict[str, Any]:
    """Return the error object of a call that failed."""
    assert invocation.error == "UnhandledInvocationError"
    error: dict[str, Any] = json.loads(invocation.payload)
    assert invocation.payload.decode() == json.dumps(error, indent=4, sort_keys=True)
    return error


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        ("'é'", "é".encode()),
        ("b'\\xff\\x00'", b"\xff\x00"),
        (
            "{'b': '重启', 'a': [1, None]}",
            b'{\n    "a": [\n        1,\n        null\n    ],\n    "b": "\\u91cd\\u542f"\n}',
        ),
        ("None", b"null"),
        ("decimal.Decimal('1.5')", b"1.5"),
        ("dt.datetime(2026, 1, 2, 3, 4)", b'"2026-01-02T03:04:00"'),
        ("Own()", b'"in its own words"'),
    ],
)
def test_the_answer_becomes_the_response_body(instance_of: Make, answer: str, payload: bytes) -> None:
    code = f"""
import datetime as dt, decimal
class Own:
    def to_json(self):
        return "in its own words"
def handle(event, context):
    return {answer}
"""
    assert instance_of(code).invoke(b"").payload == payload


@pytest.mark.parametrize("answer", ["{1, 2}", "bytearray(b'x')", "'\\ud800'", "{1: 1, 'a': 2}"])
def test_an_answer_that_can_not_be_written_is_an_error_of_the_function(instance_of: Make, answer: str) -> None:
    error = failed(instance_of(f"def handle(event, context):\n    return {answer}").invoke(b""))
    assert error["errorType"] == ("UnicodeEncodeError" if "ud800" in answer else "TypeError")


def test_an_exception_becomes_the_documented_error_json_and_a_line_of_the_log(instance_of: Make) -> None:
    instance = instance_of("def inner():\n    raise ValueError('bad é')\ndef handle(event, context):\n    inner()")
    invocation = instance.invoke(b"", "r1")
    path = instance.function.code_path / "index.py"
    assert failed(invocation) == {
        "errorMessage": "bad é",
        "errorType": "ValueError",
        "stackTrace": [
            [f'File "{path}"', "line 4", "in handle", "inner()"],
            [f'File "{path}"', "line 2", "in inner", "raise ValueError('bad é')"],
        ],
    }
    written = re.escape(invocation.payload.decode())
    end = "FC Invoke End RequestId: r1, Error: Unhandled function error\n"
    assert re.search(rf"\n{UTC_LINE} r1 \[ERROR\] {written}\n{end}\Z", invocation.logs.decode())
    assert instance.alive


@pytest.mark.parametrize(
    ("handler", "code", "error", "stack"),
    [
        (
            "absent.handle", "", ("ImportModuleError", "Unable to import module 'absent'"),
            ["ModuleNotFoundError: No module named 'absent'"],
        ),
        (
            "index.absent", "", ("HandlerNotFound", "Handler 'absent' is missing on module 'index'"),
            ["AttributeError: module 'index' has no attribute 'absent'"],
        ),
        (
            "index", "", ("InvalidHandleName", "Invalid handler 'index'"),
            ["ValueError: not enough values to unpack (expected 2", "got 1)"],
        ),
        (
            "index.handle", "int('x')", ("InvalidHandleName", "Invalid handler 'index'"),
            ["ValueError: invalid literal for int() with base 10: 'x'"],
        ),
        (
            "index.handle", "1 / 0", ("UserCodeError", "Module initialization error: 'division by zero'"),
            ["ZeroDivisionError: division by zero"],
        ),
    ],
)  # fmt: skip
def test_a_function_that_can_not_be_loaded(
    instance_of: Make, handler: str, code: str, error: tuple[str, str], stack: list[str]
) -> None:
    invocation = instance_of(code, handler=handler).invoke(b"", "r1")
    told = failed(invocation)
    assert (told["errorType"], told["errorMessage"], told["stackTrace"]) == (*error, stack)
    assert re.search(rf"\n{UTC_LINE} r1 \[ERROR\] {re.escape(str(told))}\n", invocation.logs.decode())


def test_a_syntax_error_names_its_line(instance_of: Make) -> None:
    error = failed(instance_of("def handle(event, context:\n").invoke(b""))
    assert (error["errorType"], error["errorMessage"]) == ("UserCodeSyntaxError", "Syntax error in module 'index'")
    assert error["stackTrace"][0].endswith('index.py"')
    assert error["stackTrace"][1] == "line 1"
    assert error["stackTrace"][-1].startswith("SyntaxError: ")


def test_a_handler_in_a_package(instance_of: Make, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "deep.py").write_text("def handle(event, context):\n    return 'deep'", encoding="utf-8")
    for handler in ("inside.deep.handle", "inside/deep.handle"):
        assert instance_of("", handler=handler).invoke(b"").payload == b"deep"


def test_the_context_of_python_310_has_what_the_public_copies_give_it(instance_of: Make) -> None:
    code = """
import json
def handle(event, context):
    assert context.logger is None
    parts = {name: vars(getattr(context, name)) for name in ("function", "credentials", "service", "tracing")}
    return {**{name: value for name, value in vars(context).items() if isinstance(value, str)}, **parts,
            "to_json": json.loads(context.to_json())["service"]}
"""
    instance = instance_of(code, region="cn-beijing", timeout=7, log_project="p", log_store="s")
    keys = {"access_key_id": "STS.key", "access_key_secret": "secret", "security_token": "token"}
    service = {"name": "", "log_project": "p", "log_store": "s", "qualifier": "LATEST", "version_id": ""}
    assert json.loads(instance.invoke(b"", "r1", 2).payload) == {
        "request_id": "r1",
        "requestId": "r1",
        "region": "cn-beijing",
        "account_id": instance.function.account_id,
        # Headers are texts, and only the memory is made a number.
        "retry_count": "2",
        "function": {"name": "reboot", "handler": "index.handle", "memory": 512, "timeout": "7"},
        "credentials": {**keys, "accessKeyId": "STS.key", "accessKeySecret": "secret", "securityToken": "token"},
        "service": service,
        "tracing": {"span_context": "", "jaeger_endpoint": "", "span_baggages": {}},
        "to_json": service,
    }


def test_the_context_of_python_312_has_what_its_page_lists(instance_of: Make) -> None:
    code = "def handle(event, context):\n    return [sorted(vars(context)), sorted(vars(context.function))]"
    context, function = json.loads(instance_of(code, runtime="python3.12").invoke(b"").payload)
    common = ["account_id", "function", "getLogger", "log_project", "log_store", "logger", "region", "request_id"]
    assert context == common
    assert function == ["handler", "memory", "name", "qualifier", "timeout", "version_id"]


def test_the_contexts_credentials_are_those_of_the_moment_and_the_variables_those_of_the_start(
    instance_of: Make,
) -> None:
    numbers = iter(range(100))
    instance = instance_of(
        "import os\ndef handle(event, context):\n"
        "    return context.credentials.access_key_id + ' ' + os.environ['ALIBABA_CLOUD_ACCESS_KEY_ID']",
        credentials=lambda: RoleCredentials(f"STS.{next(numbers)}", "secret", "token"),
    )
    first, second = (instance.invoke(b"").payload.decode().split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1]


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
    context.getLogger().error("mine")
    context.getLogger().info("mine too")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("no line end")
"""
    instance = instance_of(code, initializer="index.initialize")
    expected = [
        "FunctionCompute python3 runtime inited.",
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
    again = instance.invoke(b"", "r2").logs.decode()
    assert " r2 [INFO] root 1" in again
    assert "inited" not in again


def test_what_is_written_at_once_is_cut_at_128_k_characters(instance_of: Make) -> None:
    code = f"""
import logging, sys
def handle(event, context):
    print("重" * {MOST_CHARACTERS + 1})
    print("b" * {MOST_CHARACTERS}, file=sys.stderr)
    logging.getLogger().info("c" * {MOST_CHARACTERS})
    sys.stdout.writelines(["d" * {MOST_CHARACTERS + 1}, "\\n"])
"""
    printed, errors, logged, uncut = instance_of(code).invoke(b"").logs.decode().splitlines()[2:6]
    assert printed == "重" * MOST_CHARACTERS
    assert errors == "b" * MOST_CHARACTERS
    assert logged.endswith("c" * 1000)
    assert len(logged) == MOST_CHARACTERS - 2
    assert uncut == "d" * (MOST_CHARACTERS + 1)


def test_lone_surrogates_are_bytes_again_or_an_error_of_the_function(instance_of: Make) -> None:
    code = """
import logging
def handle(event, context):
    print("a\\udcffb")
    for write in (lambda: print("\\ud800"), lambda: logging.getLogger().info("\\udcff")):
        try:
            write()
        except UnicodeEncodeError:
            print("refused")
"""
    assert instance_of(code).invoke(b"").logs.splitlines()[2:-1] == [b"a\xffb", b"refused", b"refused"]


def test_warnings_are_silent_and_layers_are_on_the_path(instance_of: Make) -> None:
    code = "import sys, warnings\ndef handle(event, context):\n    warnings.warn('loud')\n    return sys.path[:3]"
    instance = instance_of(code)
    invocation = instance.invoke(b"")
    packages = f"/opt/python/lib/python3.{sys.version_info.minor}/site-packages"
    assert json.loads(invocation.payload) == [str(instance.function.code_path), packages, "/opt/python"]
    assert b"loud" not in invocation.logs


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
    own = {name for name in seen["env"] if not name.startswith(("FC_", "ALIBABA_CLOUD_"))}
    assert own <= {"PATH", "LANG", "MINE", "LC_CTYPE", "PYTHONIOENCODING"}
    code_path = str(instance.function.code_path)
    assert (seen["path"][0], seen["cwd"]) == (code_path, code_path)
    local_cloud = str(Path(localcloud.__file__).parent)
    assert not [entry for entry in seen["path"] if entry.startswith((local_cloud, "/nowhere"))]
    assert seen["env"]["FC_FUNCTION_NAME"] == "reboot"


def test_the_local_cloud_is_not_importable_even_from_its_own_source_tree(instance_of: Make) -> None:
    instance = instance_of(
        f"import sys\nsys.path.insert(0, {SOURCE!r})\ndef handle(event, context):\n    import localcloud"
    )
    assert failed(instance.invoke(b""))["errorType"] == "ModuleNotFoundError"
