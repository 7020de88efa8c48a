"""The runtimes that the template declares: what is checked for each, and builds for those whose Python is here."""

import json
import sys
from pathlib import Path

import pytest
from packaged import build

from bundle import BuildError, checks, distributions, runtimes
from bundle import build as bundle

OLDER, NEWER = runtimes.runtime("python3.10"), runtimes.runtime("python3.12")


@pytest.mark.parametrize("name", ["python3.10", "python3.12"])
def test_a_declared_runtime_is_built_and_run_where_its_python_is_here(package: Path, tmp_path: Path, name: str) -> None:
    assert package.is_dir()  # one build at a time fetches
    program = runtimes.interpreter(runtimes.runtime(name))
    if program is None:
        pytest.skip(f"this machine has no {name}: its package can only be checked statically")
    out = tmp_path / "function"
    done = build(out, "--runtime", name)
    assert done.returncode == 0, done.stderr
    tag = "cpython-" + name.removeprefix("python").replace(".", "")
    assert (out / "__pycache__" / f"index.{tag}.pyc").exists()
    assert list((out / "pydantic_core").glob(f"_pydantic_core.{tag}-x86_64-linux-gnu.so"))
    assert "clean: " in done.stdout


def test_without_the_python_there_is_no_byte_code_and_the_build_says_so(package: Path, tmp_path: Path) -> None:
    assert package.is_dir()
    empty = tmp_path / "bin"
    empty.mkdir()
    name = "python3.10" if runtimes.runtime("host").python != (3, 10) else "python3.12"
    out = tmp_path / "function"
    done = build(out, "--runtime", name, environment={"PATH": str(empty)})
    assert done.returncode == 0, done.stderr
    assert "NO BYTE CODE" in done.stderr
    assert not list(out.rglob("*.pyc"))
    facts = json.loads((out / "manifest.json").read_text())["metadata"]["properties"]
    assert {"name": "ecs-reboot:byte-code", "value": "none"} in facts


def test_a_wrong_interpreter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runtimes.VARIABLE, "/bin/true")
    with pytest.raises(BuildError, match=r"RUNTIME_PYTHON=/bin/true is not Python 3\.10"):
        runtimes.interpreter(OLDER)


@pytest.mark.parametrize(
    ("file", "fits"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-cp310-cp310-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", True),
        ("a-1-cp310-cp310-manylinux_2_28_x86_64.whl", True),
        ("a-1-cp39-abi3-manylinux_2_28_x86_64.whl", True),
        ("a-1-cp310-cp310-manylinux_2_34_x86_64.whl", False),
        ("a-1-cp310-cp310-manylinux_2_17_aarch64.whl", False),
        ("a-1-cp310-cp310-musllinux_1_2_x86_64.whl", False),
        ("a-1-cp312-cp312-manylinux_2_17_x86_64.whl", False),
    ],
)
def test_a_wheel_must_fit_python_and_c_library(file: str, *, fits: bool) -> None:
    if fits:
        distributions.check_tags(file, OLDER)
    else:
        with pytest.raises(BuildError, match=r"is not for python3\.10"):
            distributions.check_tags(file, OLDER)


@pytest.mark.parametrize(
    ("system", "machine", "platform", "file"),
    [
        ("linux", "x86_64", "linux_x86_64", "a-1-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"),
        ("linux", "aarch64", "linux_aarch64", "a-1-cp312-cp312-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"),
        ("darwin", "arm64", "macosx_arm64", "a-1-cp312-cp312-macosx_11_0_arm64.whl"),
        ("darwin", "x86_64", "macosx_x86_64", "a-1-cp312-cp312-macosx_10_9_universal2.whl"),
    ],
)
def test_the_host_is_whatever_machine_it_is(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, platform: str, file: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36") if system == "linux" else ("", ""))
    host = runtimes.runtime("host")._replace(python=(3, 12))
    assert (host.platform, host.runs_here) == (platform, True)
    distributions.check_tags(file, host)
    with pytest.raises(BuildError, match=f"is not for host .Python 3.12, {platform}"):
        distributions.check_tags("a-1-cp312-cp312-musllinux_1_2_x86_64.whl", host)
    # Its Python may write the byte code of what is deployed, and can't load it.
    assert NEWER.runs_here is (platform == "linux_x86_64")


def test_a_build_for_another_machine_says_that_it_was_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "function.zip").touch()
    for machine, said in (("x86_64", "ran once by Python 3.12"), ("riscv64", "not run, only checked")):
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        bundle._report(NEWER, tmp_path / "function", 1, 1, sys.executable)
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (b"try:\n    pass\nexcept* OSError:\n    pass\n", "is no Python 3.10"),
        (b"type Row = list[str]\n", "is no Python 3.10"),
        (b"import tomllib\n", "tomllib"),
        (b"from datetime import UTC\n", "datetime.UTC"),
        (b"import enum\n\n\nclass A(enum.StrEnum):\n    pass\n", "enum.StrEnum"),
    ],
)
def test_a_source_that_needs_a_newer_python_is_refused(source: bytes, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        checks.check_source({"one.py": source}, OLDER)


def test_a_compiled_module_must_fit() -> None:
    needs = {"core.cpython-312-x86_64-linux-gnu.so": b"\0GLIBC_2.17\0GLIBC_2.31\0GLIBC_2.4\0"}
    checks.check_compiled(needs, NEWER)
    with pytest.raises(BuildError, match=r"not for Python 3\.10"):
        checks.check_compiled(needs, OLDER)
    with pytest.raises(BuildError, match=r"needs glibc 2\.32"):
        checks.check_compiled({"core.so": b"GLIBC_2.32\0"}, NEWER)


def test_what_is_packed_must_be_pinned(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(
        "alibabacloud-ecs20140526==7\nAlibabaCloud.Tea==1\nalibabacloud-tea-openapi==2\npydantic-core==3\n"
    )
    with pytest.raises(BuildError, match="does not pin darabonba-core"):
        distributions.pins(constraints)
    constraints.write_text(constraints.read_text() + "darabonba_core==4\n")
    assert distributions.pins(constraints)["alibabacloud-tea"] == "1"
