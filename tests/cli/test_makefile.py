"""The Makefile with mistakes in what it is given: refused in a sentence, before anything is done."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import pytest

from cli import refused_variables
from cli.program import program
from cloud_languages.template import document

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on PATH")


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run make as a person does: not as a part of the make that runs the tests."""
    outer = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON"}
    alone = {name: value for name, value in os.environ.items() if name not in outer}
    command = ["make", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=alone)


def variables(target: str) -> set[str]:
    """Return the variables that the help text of a target names."""
    (described,) = re.findall(rf"^{target}:.*?## (.*)", MAKEFILE, re.MULTILINE)
    return set(re.findall(r"\b([A-Z_]+)=", re.sub(r'"[^"]*"', "", described)))


def recipe(target: str) -> str:
    """Return the lines that a target runs, with those of the targets that it needs."""
    rules = re.findall(rf"^{target}:(?! RUNTIME)([^#\n]*).*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    needed = " ".join(needs for needs, _ in rules).split()
    return "".join(lines for _, lines in rules) + "".join(map(recipe, (need for need in needed if need.isalpha())))


#: What is read without being an option: by `build`, and by what runs the function itself.
NO_OPTIONS = {"build": {"RUNTIME_PYTHON"}, "demo": {"CODE"}, "explain": {"CODE"}}
#: A secret is for the environment: what stands on make's command line, a list of processes shows.
NOT_FOR_MAKE = {"LOCALCLOUD_ACCESS_KEY_ID", "LOCALCLOUD_ACCESS_KEY_SECRET"}


def read_by(command: str) -> set[str]:
    """Return the variables that a command reads."""
    found = program.get_command(click.Context(program), command)
    assert found
    return {str(given.envvar) for given in found.params if given.envvar} | NO_OPTIONS.get(command, set())


#: What the Makefile sets by itself, and what make does.
DEFINED = {*re.findall(r"^([A-Z_]+) *[:?]?=", MAKEFILE, re.MULTILINE), "MAKE", "MAKEFILE_LIST"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_takes_what_its_commands_read_and_no_more(target: str) -> None:
    told = recipe(target)
    read = set().union(*map(read_by, re.findall(r"\$\(ECS_REBOOT\) ([a-z]+)", told))) - NOT_FOR_MAKE
    used = set(re.findall(r"\$\((?:if |or )?(?:\$\()?([A-Z_]+)[),]", told))
    assert variables(target) == read | used - DEFINED


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_run_with_all_its_variables_and_with_no_other(target: str) -> None:
    given = [*(f"{name}=" for name in sorted(variables(target))), "VENV=.venv"]
    taken = make("-q", target, *given)  # -q: runs nothing, and need not be up to date
    assert (taken.returncode in (0, 1), taken.stderr) == (True, "")
    other = next(name for name in ("PLAN", "FLEET") if name not in variables(target))
    refused = make("-n", target, *given, f"{other}=1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{other} is not a variable of {target}. {target} takes " in refused.stderr
    assert "Nothing was done." in refused.stderr


def test_several_goals_take_what_any_of_them_takes() -> None:
    assert make("-n", "status", "logs", "MINUTES=5", "STACK=a").returncode == 0
    refused = make("-n", "status", "logs", "MINUTES=5", "PLAN=1").stderr
    assert "PLAN is not a variable of status and logs." in refused


def test_a_variable_of_the_environment_is_not_refused() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-n", "help"]
    assert subprocess.run(command, cwd=ROOT, env={**alone, "PLAN": "1"}, capture_output=True, check=True).stdout


def test_a_goal_that_does_not_exist_is_what_make_tells_of() -> None:
    assert "No rule to make target 'deplyo'" in make("deplyo", "REGION=cn-hangzhou").stderr
    assert "NOPE is not a variable of this Makefile. `make help` has" in make(".venv/.python", "NOPE=1").stderr


TAKEN = [f"{target}:{name}" for target in TARGETS for name in ("", *sorted(variables(target)))]


@pytest.mark.parametrize(
    ("goal", "given", "told"),
    [
        ("deploy", "PARMS=DryRun=true", "PARMS is not a variable of deploy: did you mean PARAMS?"),
        ("deploy", "SET=DRY_RUN=true MODE=act", 'into PARAMS, such as PARAMS="DryRun=true Mode=act".'),
        ("deploy", "SET='", 'into PARAMS, such as PARAMS="DryRun=true".'),
        ("deploy", "DryRun=true", 'into PARAMS, such as PARAMS="DryRun=true".'),
        ("deploy", "DRY_RUN=true", 'into PARAMS, such as PARAMS="DryRun=true".'),
        ("deploy", "MODE=observe", 'into PARAMS, such as PARAMS="Mode=observe".'),
        ("deploy", "Paused=until noon", "into PARAMS, such as PARAMS=\"Paused='until noon'\"."),
        ("deploy", "WebhookToken=hunter2", 'into PARAMS, such as PARAMS="WebhookToken=...".'),
        ("serve", "DRY_RUN=true", 'into SET, such as SET="DRY_RUN=true".'),
        ("replay", "PARAMS=MaxReboots=2", 'into SET, such as SET="MAX_REBOOTS=2".'),
        ("remove", "YES=1", "YES is not a variable of remove. remove takes LOGS, FORGET"),
        ("test", "SET=DRY_RUN=true", "SET is not a variable of test. test takes none."),
    ],
)
def test_what_is_refused_is_told_with_where_it_belongs(goal: str, given: str, told: str) -> None:
    name, _, value = given.partition("=")
    shown = refused_variables.parameters((ROOT / "template.yml").read_text("utf-8"))
    taken = [f"remove:{name}" for name in ("", "LOGS", "FORGET")] if goal == "remove" else TAKEN
    said = refused_variables.sentence(name, value, goal, taken, shown)
    assert told in said
    assert "hunter2" not in said


def test_what_make_says_is_what_was_meant() -> None:
    ran = make("-n", "deploy", "SET=DRY_RUN=true PAUSED='it is $$5'", "REGION=cn-hangzhou")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert (
        """SET is not a variable of deploy. A stack's settings go into PARAMS, such as PARAMS="DryRun=true"""
        in ran.stderr
    )
    assert "Nothing was done" in ran.stderr


def test_without_a_python_a_variable_is_refused_all_the_same() -> None:
    ran = make("-n", "remove", "PLAN=1", "PYTHON=no-such-python")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "PLAN: not a variable of remove. `make help` has those of each target. Nothing was done" in ran.stderr


def test_the_parameters_are_those_of_the_template() -> None:
    declared = document.load(ROOT / "template.yml")["Parameters"]
    shown = refused_variables.parameters((ROOT / "template.yml").read_text("utf-8"))
    assert shown == {name: not about.get("NoEcho") for name, about in declared.items()}


def test_the_mutants_are_tried_in_parts_by_name() -> None:
    assert "mutate --from 'no intent' -- 'a claim'" in make("-n", "mutate", "ONLY=a claim", "FROM=no intent").stdout


def test_help_lists_every_target() -> None:
    told = make("help").stdout
    assert re.findall(r"^make ([a-z-]+) ", told, re.MULTILINE) == TARGETS
    assert all(f"{name}=" in told for target in TARGETS for name in variables(target))


def python(tmp_path: Path, name: str, version: str, status: int) -> Path:
    """A program that says it is some Python, and makes an environment that notes who made it."""
    path = tmp_path / name
    path.write_text(
        f'#!/bin/sh\ncase "$*" in\n*split*base_prefix*) echo {version} /{name};;\n*version.split*) echo {version};;\n'
        f'*version_info*) exit {status};;\n-m\\ venv*) mkdir "$3"; echo {name} > "$3/made-by";;\nesac\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_is_named_with_the_way_out(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    old = python(tmp_path, "python3.9", "3.9.18", 1)
    ran = make(f"VENV={venv}", f"PYTHON={old}", f"{venv}/.python")
    assert ran.returncode == 2
    assert f"{old} is Python 3.9.18; this needs Python 3.11 or newer" in ran.stderr
    assert "make PYTHON=python3.11" in ran.stderr
    assert not venv.exists()


def test_what_is_no_python_is_told(tmp_path: Path) -> None:
    ran = make(f"VENV={tmp_path / 'venv'}", "PYTHON=no-such-python", f"{tmp_path / 'venv'}/.python")
    assert ran.returncode == 2
    assert "no-such-python is not a Python that can be run" in ran.stderr


def test_the_environment_is_made_again_when_python_changes(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    first, second = python(tmp_path, "first", "3.11.1", 0), python(tmp_path, "second", "3.12.1", 0)
    for given, maker in ((first, "first"), (second, "second")):
        assert make(f"VENV={venv}", f"PYTHON={given}", f"{venv}/.python").returncode == 0
        assert (venv / "made-by").read_text("utf-8") == f"{maker}\n"
    (venv / "kept").touch()
    for words in ((f"PYTHON={second}",), ()):  # the same once more, and none named
        assert make(f"VENV={venv}", *words, f"{venv}/.python").returncode == 0
        assert (venv / "kept").exists()


def test_the_project_and_its_readme_agree_on_the_oldest_python() -> None:
    oldest = re.search(r'^requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert oldest
    for name in ("README.md", "docs/operate/deploy.md", "Makefile"):
        assert f"Python {oldest[1]} or newer" in (ROOT / name).read_text("utf-8"), name
    assert sys.version_info >= tuple(map(int, oldest[1].split(".")))


#: What macOS's make and tools do not have, each with the name under which it is looked for.
GNU_ONLY = {
    "newer than make 3.81": r"^\.ONESHELL|\.SHELLFLAGS|^\w+ *(!=|::=|:::=)|^undefine|\$\((file|guile|let|intcmp) |&:",
    "sed": r"sed\b[^|]*( -i\b| -r\b| --\w|\\[tn+?|])",
    "grep": r"grep\b[^|]* -\w*P",
    "other tools": r"readlink -f|date -d|xargs -\w*r|sort -\w*V|cp --|mktemp --|realpath|awk\b[^|]*gensub",
    "not POSIX sh": r"\[\[|<<<|<\(|\bfunction \w+ *\{|\$\{\w+:\d",
}


@pytest.mark.parametrize("name", GNU_ONLY)
def test_the_makefile_asks_only_for_what_old_make_and_bsd_tools_have(name: str) -> None:
    found = [line for line in MAKEFILE.splitlines() if re.search(GNU_ONLY[name], line)]
    assert found == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("newer than make 3.81", "X != date"),
        ("sed", "sed -n 's/a\\tb/c/p'"),
        ("grep", "grep -oP x"),
        ("other tools", "readlink -f x"),
        ("not POSIX sh", "if [[ -n $x ]]"),
    ],
)
def test_what_they_lack_would_be_found(name: str, line: str) -> None:
    assert re.search(GNU_ONLY[name], line)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment that is up to date, whose command says with which variables it was called."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    for stamp in (".python", ".run", ".schemas", ".stack"):
        (venv / stamp).touch()
    command = venv / "bin" / "ecs-reboot"
    command.write_text('#!/bin/sh\necho "$* RUNTIME=$RUNTIME ENDPOINT=$ENDPOINT PARAMS=$PARAMS"\n', "utf-8")
    command.chmod(0o755)
    return venv


def test_a_deployment_to_a_local_cloud_builds_for_the_python_at_hand(installed: Path) -> None:
    at, venv = "http://127.0.0.1:8080", f"VENV={installed}"
    assert make("-s", venv, "deploy", f"ENDPOINT={at}", "PARAMS=DryRun=true").stdout.splitlines() == [
        f"deploy --check --reach RUNTIME=host ENDPOINT={at} PARAMS=DryRun=true",  # mistakes are found before the build
        f"build RUNTIME=host ENDPOINT={at} PARAMS=DryRun=true",
        f"deploy RUNTIME=host ENDPOINT={at} PARAMS=DryRun=true",
    ]
    assert make("-s", venv, "deploy").stdout.splitlines()[1].startswith("build RUNTIME= ")
    given = make("-s", venv, "deploy", f"ENDPOINT={at}", "RUNTIME=python3.12").stdout
    assert given.count("RUNTIME=python3.12 ") == 3


def test_an_acceptance_run_is_checked_before_the_package_is_built(installed: Path) -> None:
    told = make("-s", f"VENV={installed}", "acceptance", "INSTANCE=web-01").stdout.splitlines()
    assert [line.partition(" RUNTIME=")[0] for line in told] == ["acceptance --check", "build", "acceptance"]


def test_a_first_install_says_that_it_takes_a_while_and_shows_pip_s_progress_on_a_terminal(installed: Path) -> None:
    pip = installed / "bin" / "python"
    pip.write_text('#!/bin/sh\necho "pip: $*"\n', "utf-8")
    pip.chmod(0o755)
    (installed / ".run").unlink()
    quiet = make(f"VENV={installed}", f"{installed}/.run").stderr
    assert f"installing into {installed}: a minute or two, once ..." in quiet
    assert "--quiet" in quiet
    (installed / ".run").unlink()
    ours, theirs = pty.openpty()
    try:
        alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        command = ["make", f"VENV={installed}", f"{installed}/.run"]
        subprocess.run(command, cwd=ROOT, stdout=theirs, stderr=theirs, timeout=60, check=True, env=alone)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "pip: -m pip" in shown
    assert "--quiet" not in shown


@contextmanager
def vulnerabilities(known: dict[str, str], *, status: int = 200) -> Iterator[str]:
    """Answer as the OSV database does: ``known`` has one vulnerability for some packages."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = known.get(asked["package"]["name"])
            answer: dict[str, Any] = {"vulns": [{"id": found, "affected": [], "details": ""}]} if found else {}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_status: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("known", "told"), [({}, "No known"), ({"urllib3": "OSV-2026-1"}, "Found 1 known")])
def test_the_audit_asks_about_every_version(known: dict[str, str], told: str) -> None:
    with vulnerabilities(known) as url:
        ran = make("-o", ".venv/.dev", "audit", f"OSV_URL={url}")
    assert told in ran.stderr
    assert (ran.returncode, "OSV-2026-1" in ran.stdout) == ((2, True) if known else (0, False))


def test_an_audit_that_reaches_no_database_fails_in_a_sentence() -> None:
    with vulnerabilities({}, status=503) as url:
        refused = make("-o", ".venv/.dev", "audit", f"OSV_URL={url}")
    nobody = make("-o", ".venv/.dev", "audit", f"OSV_URL={url}")
    for ran in (refused, nobody):
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith("the OSV database could not be asked, nothing was checked: ")
        assert "Traceback" not in ran.stderr
