"""The command line as a person meets it: help, mistakes, statuses, a closed pipe, and an installed wheel."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from cli import exit_status
from cli.program import COMMANDS, main, program

ROOT = Path(__file__).resolve().parents[2]
NAMES = [name for commands in COMMANDS.values() for name in commands]
EVENT = str(ROOT / "events" / "manual-by-id.json")
EVENTS = str(ROOT / "events")
PICTURE = str(ROOT / "docs" / "images" / "console.png")
README = str(ROOT / "README.md")


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], env=given, capture_output=True, text=True, timeout=120, check=False
    )


class Ended(NamedTuple):
    """What a command that has ended has said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run commands in this process, with no variables but those given: what they raise fails the test."""

    def run_here(*arguments: str, **environment: str) -> Ended:
        for name in set(os.environ) - {"PATH"}:
            if not name.startswith(("PYTEST", "COV")):
                monkeypatch.delenv(name)
        for name, value in {"HOME": "/nonexistent", **environment}.items():
            monkeypatch.setenv(name, value)
        return Ended(main(arguments), *capsys.readouterr())

    return run_here


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_examples_of_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"  ecs-reboot {name}" in told.partition("Examples:")[2]


def test_the_help_lists_every_command_and_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in NAMES)
    assert all(f"  {status} " in told for status in exit_status.MEANINGS)


def test_the_commands_of_the_makefile_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = {line.split("$(ECS_REBOOT) ")[1].split()[0] for line in makefile.splitlines() if "$(ECS_REBOOT) " in line}
    assert called
    assert called <= set(NAMES)


@pytest.mark.parametrize("name", exit_status.STATUS_OF)
def test_an_error_that_ends_in_a_sentence_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(import_module(module), kind), Exception)


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("deplyo",), {}, "Did you mean 'deploy'?"),
        (("serve", "--prot", "1"), {}, "--port"),
        (("logs",), {"MINUTES": "abc"}, "MINUTES: 'abc' is not a number of minutes\n"),
        (("replay",), {}, "RECORDS=path"),
        (("replay", "--records", "absent.jsonl"), {}, "absent.jsonl"),
        (("replay", "--records", EVENT), {}, "make logs RECORDS="),
        (("logs", "--function", "--records", "night.jsonl"), {}, "give one of them"),
        (("serve", "--set", "DRY_RUN=maybe"), {}, "DRY_RUN='maybe'"),
        (("serve", "--set", "DRYRUN=true"), {}, "DRY_RUN"),
        (("invoke", "--event", EVENT), {"SET": "FORCE_REBOOT=sometimes"}, "FORCE_REBOOT='sometimes'"),
        (("invoke", "--event", EVENT, "--set", "DRYRUN=true"), {}, "DRY_RUN"),
        (("invoke", "--event", EVENT, "--deployed", "--set", "DRYRUN=true"), {}, "DRY_RUN"),
        (
            ("serve", "--fleet", "absent.yaml"),
            {},
            "'absent.yaml' can't be read: No such file or directory; FLEET is a YAML",
        ),
        (("invoke", "--event", EVENT, "--fleet", "dmeo"), {}, "No such file or directory; did you mean 'demo'?\n"),
        (("forecast", "--fleet", PICTURE), {}, f"the fleet file '{PICTURE}' is no text (UTF-8): write it in YAML"),
        (("explain", "--event", EVENT), {"FLEET": PICTURE}, f"explain: the fleet file '{PICTURE}' is no text"),
        (("explain", "--event", "absent.json"), {}, "the event file absent.json can't be read: No such file"),
        (("simulate", "--assume-less", "gravity"), {}, "gravity"),
        (("render", "--params", "DryRum=true"), {}, "DryRum"),
        (("deploy", "--check", "--params", "DryRum=true"), {}, "did you mean DryRun"),
        (("deploy", "--check", "--params", "DryRun='true"), {}, "unfinished quotation"),
        (("invoke", "--event", "absent.json"), {}, "absent.json"),
        (("invoke", "--event", EVENT), {"CODE": EVENTS}, f"CODE='{EVENTS}' holds no function (no index.py): give"),
        (("invoke", "--event", EVENT, "--code", EVENT), {}, f"CODE='{EVENT}' is a file: give the folder that"),
        (("invoke", "--event", EVENT, "--handler", "a.b"), {"CODE": "nope"}, "CODE='nope' does not exist: give"),
        (("serve", "--code", EVENTS), {}, f"CODE='{EVENTS}' holds no function"),
        (("explain", "--event", EVENT), {"CODE": "nope"}, "CODE='nope' does not exist"),
        (("invoke", "--event", EVENT, "--params", "DryRun=true"), {}, "DEPLOYED=1"),
        (("serve", "--params", "DryRun=true"), {}, "DEPLOYED=1"),
        (("serve",), {"LOCALCLOUD_ACCESS_KEY_ID": "a"}, "LOCALCLOUD_ACCESS_KEY_SECRET is missing: an AccessKey has"),
        (("serve", "--access-key-secret", "hunter2"), {}, "LOCALCLOUD_ACCESS_KEY_ID is missing: an AccessKey has"),
        (("render",), {"STACK": "my stack"}, "STACK: 'my stack' is no name of a stack: give 1 to 255 letters"),
        (("deploy",), {"REGION": "mars"}, "REGION: 'mars' is no region ID: give one such as cn-hangzhou"),
        (("policy", "--region", "mars", "--account", "1"), {}, "--region: 'mars' is no region ID"),
        (("policy", "--account", "abc"), {}, "--account: 'abc' is no account ID"),
        (("validate", "--template", "nope.yml"), {}, "--template: nope.yml is not there"),
        (("build", "--runtime", "python2"), {}, "RUNTIME=python2: say one of python3.10"),
        (("deploy", "--check", "--reach"), {"RUNTIME": "python2"}, "RUNTIME=python2: say one of python3.10"),
        (("deploy", "--check"), {"RUNTIME": "python3.10", "RUNTIME_PYTHON": "/bin/true"}, "is not Python 3.10: name"),
        (
            ("acceptance", "--check", "--instance", "i-bp1a2b3c4d5e6f7g8h9i"),
            {"RUNTIME": "python2"},
            "RUNTIME=python2: say one of",
        ),
        (
            ("policy", "--account", "1", "--function", "a b"),
            {},
            "--function: 'a b' is no name of a function: give 1 to",
        ),
        (("acceptance",), {}, "INSTANCE=i-..."),
        (("acceptance", "--check"), {"INSTANCE": "web-01"}, "INSTANCE 'web-01' does not start with 'i-'"),
        (("acceptance", "--check"), {"ONLY": "nope"}, "ONLY: there is no check nope: "),
        (("acceptance", "--check"), {"ONLY": "nope"}, "no instance: give"),  # all at once
        (("ledger", "show"), {"INSTANCE": "i-bpnope"}, "INSTANCE 'i-bpnope' does not have the form of an instance ID"),
        (("ledger", "show", "web-01"), {}, "does not start with 'i-': `ecs-reboot ledger show` alone lists all"),
        (("ledger", "show"), {"INSTANCE": "web-01"}, "INSTANCE 'web-01' does not start with 'i-': `make ledger` alone"),
        (("invoke", "events/x.json"), {}, "'events/x.json' stands alone: write --event events/x.json\n"),
        (("explain", "a b"), {}, "'a b' stands alone: write --event 'a b'\n"),
        (("digest", "week.jsonl"), {}, "write --records week.jsonl\n"),
        (("replay", "week.jsonl"), {}, "write --records week.jsonl\n"),
        (("forecast", "--start", "9999-12-31T23:00Z"), {}, "START='9999-12-31T23:00Z': give a time in the years 1971"),
        (("forecast", "--start", "0001-01-01T00:00Z"), {}, "give a time in the years 1971 to 8999"),
        (("replay", "--records", EVENT, "--set", "COOLDOWN=5"), {}, "reads; did you mean 'COOLDOWN_SECONDS'?\n"),
        (("replay", "--records", EVENT, "--set", "LOGSTORE=a"), {}, "reads; those are ATTEMPT_WINDOW_SECONDS, "),
        (("acceptance", "--instance", "i-bp1test", "--report", "."), {}, "is a directory"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_a_mistake_is_a_sentence_and_status_2(
    arguments: tuple[str, ...], environment: dict[str, str], told: str, run_here: Callable[..., Ended]
) -> None:
    ran = run_here(*arguments, **environment)
    assert (ran.returncode, ran.stdout) == (exit_status.WRONG, ""), ran.stderr
    assert told in ran.stderr


def test_a_mistake_ends_the_process_with_its_sentence_and_status() -> None:
    ran = run("logs", MINUTES="abc")
    assert (ran.returncode, ran.stdout) == (exit_status.WRONG, "")
    assert ran.stderr == "MINUTES: 'abc' is not a number of minutes\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("logs", "--minutes", "0"), {}, "--minutes: 0 is not a number of minutes: give 1 or more"),
        (("invoke",), {"TIMEOUT": "soon"}, "TIMEOUT: 'soon' is not a number of seconds"),
        (("simulate", "--deliveries", "many"), {}, "--deliveries: 'many' is not a number of deliveries"),
        (("serve",), {"DEPLOYED": "maybe"}, "DEPLOYED: 'maybe' is neither 1 nor 0: 1 is on, 0 or nothing is off"),
        (("simulate", "--episode", "-3"), {}, "--episode: -3 is not a number of an episode: give 0 or more"),
        (("simulate", "--seed", "-1"), {}, "--seed: -1 is not a whole number: give 0 or more"),
        (("serve", "--port", "http"), {}, "--port: 'http' is not a port: 1 to 65535, or 0 for a free one"),
        (
            ("status",),
            {"ENDPOINT": "127.0.0.1:80"},
            "ENDPOINT: '127.0.0.1:80' has no scheme: write http://127.0.0.1:80",
        ),
        (("logs", "--endpoint", "ftp://a"), {}, "--endpoint: 'ftp://a' is no address like http://127.0.0.1:8080"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_a_wrong_value_is_one_line_by_the_name_it_was_given_under(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == exit_status.WRONG
    assert capsys.readouterr().err == f"{told}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("build", "--constraints", "absent.txt"), "building the package for python3.10 ..."),
        (("simulate", "--deliveries", "1"), "simulating at least 1 delivery ..."),
    ],
    ids=["build", "simulate"],
)
def test_long_work_says_so_when_it_begins_and_shows_progress_to_nobody_who_reads_a_file(
    arguments: tuple[str, ...], told: str, run_here: Callable[..., Ended]
) -> None:
    first, *rest = run_here(*arguments).stderr.splitlines()
    assert first == told
    assert not [line for line in rest if "\r" in line or line.endswith("...")]


@pytest.mark.parametrize(("file", "told"), [(README, "line 5: 'mapping"), (PICTURE, "'no UTF-8'")])
def test_a_file_that_is_no_template_is_named(file: str, told: str, run_here: Callable[..., Ended]) -> None:
    ran = run_here("validate", "--template", file)
    assert (ran.returncode, ran.stdout) == (exit_status.FAILED, "")
    assert ran.stderr.startswith(f"{file}: {told}")
    assert len(ran.stderr.splitlines()) == 1


def test_half_a_key_pair_is_told_by_the_half_that_is_missing(run_here: Callable[..., Ended]) -> None:
    for given, missing in (("ID", "SECRET"), ("SECRET", "ID")):
        key = {f"ALIBABA_CLOUD_ACCESS_KEY_{given}": "a", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
        ran = run_here("status", ENDPOINT="http://127.0.0.1:1", **key)
        assert (ran.returncode, ran.stdout) == (exit_status.FAILED, "")
        assert ran.stderr.startswith(f"no credentials: ALIBABA_CLOUD_ACCESS_KEY_{missing} is missing: set it too, or")


@pytest.mark.parametrize("command", [("status",), ("deploy", "--check", "--reach")], ids=" ".join)
def test_no_credentials_are_one_sentence(command: tuple[str, ...]) -> None:
    ran = run(*command, ALIBABA_CLOUD_ECS_METADATA_DISABLED="true", ENDPOINT="http://127.0.0.1:1")
    assert (ran.returncode, ran.stdout) == (exit_status.FAILED, "")
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr


@pytest.mark.parametrize("command", ["status", "logs", "remove", "doctor"])
def test_a_service_that_does_not_answer_is_one_sentence(command: str) -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI-test", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "no-secret"}
    ran = run(command, ENDPOINT="http://127.0.0.1:1", **keys)
    assert ran.returncode == exit_status.FAILED
    told = ran.stdout + ran.stderr
    assert "http://127.0.0.1:1 does not answer" in told
    assert len(told.splitlines()) == 1, told


def test_a_taken_port_is_told_with_its_owner() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert (ran.returncode, ran.stdout) == (exit_status.FAILED, "")
    assert f"port {port} is in use by process {os.getpid()}" in ran.stderr or "another program" in ran.stderr
    assert "choose another with --port" in ran.stderr


def test_what_is_not_installed_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "Tea.py").write_text("raise ModuleNotFoundError(\"No module named 'Tea'\", name='Tea')\n", "utf-8")
    ran = run("status", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'src'}")
    assert (ran.returncode, ran.stdout) == (exit_status.WRONG, "")
    assert ran.stderr.startswith("this command needs Tea, which is not installed: pip install 'ecs-reboot[stack]'")
    assert len(ran.stderr.splitlines()) == 1


def test_what_only_developers_need_is_named_with_its_extra(tmp_path: Path) -> None:
    (tmp_path / "greenlet.py").write_text("raise ModuleNotFoundError('No greenlet', name='greenlet')\n", "utf-8")
    ran = run("explore", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'src'}")
    assert ran.returncode == exit_status.WRONG
    assert "needs greenlet, which is not installed: pip install 'ecs-reboot[dev]'" in ran.stderr


def test_a_region_that_there_is_not_is_named() -> None:
    from Tea.exceptions import TeaException

    from stack.refusals import sentence

    refused = TeaException({"code": "InvalidRegionId.NotFound", "message": "not found"})
    assert sentence(refused, region="cn-nowhere") == (
        "InvalidRegionId.NotFound: there is no region cn-nowhere, or this account may not use it: look at REGION"
    )
    assert "there is no region, or" in sentence(refused)


def test_the_help_names_every_command_that_talks_to_a_cloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split()).partition("Only ")[2].partition(" talk to a cloud")[0]
    commands = {name: program.get_command(click.Context(program), name) for name in NAMES}
    asking = {name for name, found in commands.items() if found and "endpoint" in {p.name for p in found.params}}
    assert set(re.findall(r"[a-z]+", said)) - {"and"} == asking


def test_invoke_tells_a_story_on_a_terminal_and_answers_json_into_a_pipe() -> None:
    piped = run("invoke", "--event", EVENT)
    assert json.loads(piped.stdout)["trigger"] == "manual"
    ours, theirs = pty.openpty()
    try:
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
        subprocess.run(
            [sys.executable, "-m", "cli", "invoke", "--event", EVENT],
            env=given, stdout=theirs, stderr=subprocess.PIPE, timeout=120, check=True,
        )  # fmt: skip
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert "event     manual -> completed" in shown
    assert "reboot    web-01: accepted" in shown
    assert "RebootInstances" in shown


def test_serve_says_on_a_terminal_where_to_look_and_not_the_secret_that_was_given() -> None:
    ours, theirs = pty.openpty()
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    keys = {"LOCALCLOUD_ACCESS_KEY_ID": "chosen", "LOCALCLOUD_ACCESS_KEY_SECRET": "hunter2hunter2"}
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "cli", "serve"], env={**given, **keys}, stdout=theirs, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr
            sentence = process.stderr.readline().decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == exit_status.DONE
        line = json.loads(os.read(ours, 65536))
    finally:
        os.close(theirs)
        os.close(ours)
    assert sentence == f"open {line['console']} in a browser; Ctrl-C ends it\n"
    assert (line["access_key_id"], line["access_key_secret"]) == ("chosen", "***")


def test_serve_gives_a_program_all_that_it_needs_and_says_no_more() -> None:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    keys = {"LOCALCLOUD_ACCESS_KEY_ID": "chosen", "LOCALCLOUD_ACCESS_KEY_SECRET": "hunter2hunter2"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "serve"], env={**given, **keys}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        line = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (line["access_key_id"], line["access_key_secret"], told) == ("chosen", "hunter2hunter2", b"")


def test_completion_knows_the_commands() -> None:
    ran = run(_ECS_REBOOT_COMPLETE="bash_complete", COMP_WORDS="ecs-reboot de", COMP_CWORD="1")
    assert ran.stdout.split() == ["plain,demo", "plain,deploy"]
    assert isinstance(program, click.Group)


def test_an_installed_wheel_plays_the_demo_and_serves_from_any_directory(tmp_path: Path) -> None:
    built = tmp_path / "wheel"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(built), str(ROOT)],
        capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    (wheel,) = built.glob("*.whl")
    place = tmp_path / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    (site,) = (place / "lib").glob("python*/site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(site), wheel],
        capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    # What it depends on is here already. Only the search path is lent: an editable install is not followed from there.
    (site / "lent.pth").write_text(str(Path(click.__file__).parents[1]), "utf-8")
    away = tmp_path / "elsewhere"
    away.mkdir()
    command = [str(place / "bin" / "python"), "-m", "cli"]
    given = {"PATH": os.environ["PATH"]}
    demo = subprocess.run(
        [*command, "demo"], cwd=away, env=given, capture_output=True, text=True, timeout=180, check=False
    )
    assert demo.returncode == 0, demo.stderr
    assert "reboot    web-01: recovered" in demo.stdout
    for alone in (["validate"], ["deploy"], ["serve", "--deployed"]):
        refused = subprocess.run([*command, *alone], cwd=away, env=given, capture_output=True, text=True, check=False)
        assert refused.returncode in (exit_status.WRONG, exit_status.FAILED)
        assert "clone of the repository" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
    with subprocess.Popen([*command, "serve"], cwd=away, env=given, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        assert json.loads(serving.stdout.readline())["console"].endswith("/console/")
        serving.send_signal(signal.SIGINT)
        serving.stdout.read()
    assert serving.returncode == 0
