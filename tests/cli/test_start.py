"""What a command loads before it does anything: the start of each is a wait, for a person and for these tests."""

import subprocess
import sys

import pytest

_LOADED = "import sys, {modules}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"


@pytest.mark.parametrize(
    ("modules", "needed", "unneeded"),
    [
        ("cli.serving", "uvicorn", {"ecs_reboot", "yaml", "console", "alibabacloud_ecs20140526"}),
        ("review.explain, review.digest, review.replay", "ecs_reboot", {"uvicorn", "starlette", "asyncio"}),
    ],
)
def test_a_command_loads_what_it_needs_and_nothing_dear_beside_it(
    modules: str, needed: str, unneeded: set[str]
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LOADED.format(modules=modules)], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert needed in loaded
    assert not unneeded & loaded
