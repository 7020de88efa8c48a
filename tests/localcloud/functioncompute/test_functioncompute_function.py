"""What Function Compute would refuse to create, and the variables that an instance gets."""

from pathlib import Path
from typing import Any

import pytest

from localcloud.functioncompute.function import Function, InvalidFunction, RoleCredentials, process_environment

ROLE = RoleCredentials("STS.key", "secret", "token")


def function(code_path: Path, **settings: Any) -> Function:
    return Function("reboot", code_path, lambda: ROLE, **settings)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"environment": {"FC_REGION": "x"}}, "FC_REGION"),
        ({"environment": {"1ST": "x"}}, "1ST"),
        ({"environment": {"NUL": "a\0b"}}, "NUL"),
        ({"environment": {"A": "x" * 4096}}, "4097 bytes"),
        ({"environment": {"A": "é" * 2048}}, "4097 bytes"),
        ({"runtime": "python3.11"}, "python3.11"),
        ({"timeout": 0}, "timeout 0"),
        ({"timeout": 86_401}, "86401"),
        ({"memory_mb": 100}, "memory_mb 100"),
        ({"memory_mb": 200}, "multiple of 64"),
        ({"handler": ""}, "handler ''"),
    ],
)
def test_a_setting_that_the_service_refuses_is_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidFunction) as refusal:
        function(tmp_path, **settings)
    assert named in str(refusal.value)


def test_code_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFunction, match="not a directory"):
        function(tmp_path / "nothing")


def test_variables_of_exactly_4_kb_are_taken(tmp_path: Path) -> None:
    assert function(tmp_path, environment={"A": "x" * 4095}).environment


@pytest.mark.parametrize(
    ("runtime", "version", "absent"),
    [("python3.10", "FC_VER_ID", "FC_FUNCTION_VERSION"), ("python3.12", "FC_FUNCTION_VERSION", "FC_VER_ID")],
)
def test_an_instance_gets_the_documented_variables_and_the_users(
    tmp_path: Path, runtime: str, version: str, absent: str
) -> None:
    made = function(tmp_path, runtime=runtime, memory_mb=256, environment={"MINE": "1", "LANG": "zh_CN.UTF-8"})
    variables = process_environment(made, "c-1", ROLE)
    assert absent not in variables
    assert version in variables
    assert variables["MINE"] == "1"
    assert variables["LANG"] == "zh_CN.UTF-8"
    assert variables["FC_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["FC_FUNC_CODE_PATH"] == str(tmp_path)
    assert variables["FC_INSTANCE_ID"] == "c-1"
    assert variables["ALIBABA_CLOUD_SECURITY_TOKEN"] == "token"
