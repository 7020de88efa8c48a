"""``ecs-reboot invoke`` as a person or a Makefile runs it: a process, its two outputs and its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import localcloud
from cli.program import main

SOURCE = Path(localcloud.__file__).parent.parent
NAMES = ("EVENT", "FLEET", "SET", "AUDIT", "CODE", "TIMEOUT")

FUNCTION = """
import json, os, sys, urllib.error, urllib.request
from terminal.key_values import UsageError, key_values
def initialize(context):
    print("initialized")
def handle(event, context):
    text = event.decode()
    if text == "move the cursor":
        print("\\x1b[2J")
    if text == "raise":
        raise RuntimeError("no luck")
    if text == "sleep":
        import time
        time.sleep(60)
    if text == "call":
        try:
            urllib.request.urlopen(os.environ["ECS_ENDPOINT"] + "/?Action=DescribeRegions")
        except urllib.error.HTTPError as error:
            text = str(error.code)
    return json.dumps({"event": text, "env": dict(os.environ), "key": hasattr(context, "credentials")}, indent=2)
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text(FUNCTION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The program within this process; the function has one of its own anyway."""

    def run(*arguments: str, event: str = "hello", environment: Mapping[str, str] = {}) -> Ran:
        Path("event").write_text(event, encoding="utf-8")
        with monkeypatch.context() as variables:
            for name, value in {"CODE": "code", "EVENT": "event", **environment}.items():
                variables.setenv(name, value)
            status = main(["invoke", *arguments])
        return Ran(status, *capfd.readouterr())

    return run


@pytest.fixture
def run_apart() -> Run:
    """The program as a process."""

    def run(*arguments: str, event: str = "hello", stdin: str = "") -> Ran:
        Path("event").write_text(event, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "cli", "invoke", *arguments],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "CODE": "code", "EVENT": "event"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def test_the_answer_alone_is_on_standard_output_and_the_log_on_the_other(run_apart: Run) -> None:
    ran = run_apart()
    assert ran.status == 0
    assert ran.out.count("\n") == 1
    answer = json.loads(ran.out)
    assert answer["event"] == "hello"
    assert answer["key"]
    environment = answer["env"]
    assert environment["ECS_ENDPOINT"].startswith("http://127.0.0.1:")
    assert environment["SLS_ENDPOINT"] == environment["ECS_ENDPOINT"]
    assert (environment["LOG_PROJECT"], environment["LOGSTORE"]) == ("ecs-reboot", "records")
    assert environment["FC_REGION"] == "cn-hangzhou"
    assert environment["ALIBABA_CLOUD_SECURITY_TOKEN"]
    lines = ran.err.splitlines()
    assert lines[1].startswith("FC Initialize Start RequestId: ")
    assert lines[2] == "initialized"
    assert lines[-1].startswith("FC Invoke End RequestId: ")


def test_settings_are_words_of_a_shell(run: Run) -> None:
    ran = run("--set", "PAUSED='disk swap, 5 pm' DRY_RUN=true EMPTY= LOG_PROJECT=")
    environment = json.loads(ran.out)["env"]
    assert environment["PAUSED"] == "disk swap, 5 pm"
    assert (environment["DRY_RUN"], environment["EMPTY"], environment["LOG_PROJECT"]) == ("true", "", "")


def test_variables_stand_for_options_and_empty_ones_for_nothing(run: Run) -> None:
    ran = run(environment={"SET": "A=1", "FLEET": "", "AUDIT": "", "TIMEOUT": ""})
    assert json.loads(ran.out)["env"]["A"] == "1"
    assert json.loads(run("--set", "A=2", environment={"SET": "A=1"}).out)["env"]["A"] == "2"


def test_the_event_can_come_from_standard_input(run_apart: Run) -> None:
    assert json.loads(run_apart("--event", "-", stdin="piped").out)["event"] == "piped"


def test_a_function_that_raises(run: Run) -> None:
    ran = run(event="raise")
    assert ran.status == 1
    assert json.loads(ran.out)["errorMessage"] == "no luck"
    assert '"errorType": "RuntimeError"' in ran.err


def test_what_a_function_prints_moves_no_cursor(run: Run) -> None:
    assert "\\x1b[2J" in run(event="move the cursor").err.splitlines()


def test_a_function_that_takes_too_long(run: Run) -> None:
    ran = run("--timeout", "1", event="sleep")
    assert ran.status == 1
    assert json.loads(ran.out)["errorMessage"].startswith("Function timed out after 1 seconds")


def test_the_audit_has_every_call(run: Run, tmp_path: Path) -> None:
    assert json.loads(run("--audit", "audit.jsonl", event="call").out)["event"] == "400"
    (entry,) = map(json.loads, (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines())
    assert (entry["kind"], entry["action"], entry["http_status"]) == ("api", "DescribeRegions", 400)


def test_the_audit_of_no_calls_is_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text("of another run", encoding="utf-8")
    assert run("--audit", "audit.jsonl").status == 0
    assert (tmp_path / "audit.jsonl").read_text(encoding="utf-8") == ""


def test_the_context_of_another_runtime(run: Run) -> None:
    assert json.loads(run("--runtime", "python3.12").out)["key"] is False


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--event", "absent.json"), "absent.json"),
        (("--event", ""), "--event PATH"),
        (("--fleet", "absent.yml"), "absent.yml"),
        (("--fleet", "wrong.yml"), "instance_id"),
        (("--set", "A=1 WORD"), "'WORD'"),
        (("--set", "A='1"), "quotation"),
        (("--set", "FC_REGION=x"), "FC_REGION"),
        (("--audit", "absent/audit.jsonl"), "absent/audit.jsonl"),
        (("--code", "absent"), "absent"),
        (("--timeout", "soon"), "soon"),
        (("--timeout", "0"), "timeout 0"),
        (("--handler", "handle"), "file.function"),
    ],
)
def test_a_wrong_command_is_told_in_a_sentence(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    (tmp_path / "wrong.yml").write_text("instances: [{instance_id: web-1}]", encoding="utf-8")
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert named in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--strict",), 1)])
def test_a_rejected_event_is_named_with_its_file_and_fails_for_whoever_is_strict(
    run: Run, arguments: tuple[str, ...], status: int
) -> None:
    ran = run(*arguments, event='{"a": "b', environment={"CODE": ""})
    assert ran.status == status
    assert json.loads(ran.out)["status"] == "rejected"
    assert ran.err.splitlines()[-1] == (
        "invoke: the function rejected event: not JSON: Unterminated string starting at line 1 column 7"
    )


def test_an_event_that_is_obeyed_is_no_failure_for_whoever_is_strict(run: Run) -> None:
    ran = run(
        "--strict", event=json.dumps({"verify": True}), environment={"CODE": "", "SET": "DEFAULT_REGION=cn-hangzhou"}
    )
    assert (ran.status, json.loads(ran.out)["status"]) == (0, "completed"), ran.err
    assert "rejected" not in ran.err
