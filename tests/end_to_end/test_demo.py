"""The README's transcript is what the demo prints."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def without_numbers(text: str) -> set[str]:
    """Times, durations and how often something was looked at differ from run to run."""
    return {re.sub(r"\d+", "#", line).rstrip() for line in text.splitlines()}


def test_the_demo_prints_every_line_that_the_readme_shows() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"What `make demo` shows \(shortened\):\n\n```\n(.*?)```", readme, re.DOTALL)
    assert shown
    demo = subprocess.run(
        [sys.executable, "-m", "cli", "demo"], capture_output=True, text=True, timeout=120, check=True
    )
    assert without_numbers(shown[1]) - without_numbers(demo.stdout) == set()
    assert demo.stdout.count("reboot    web-") == 2
    assert "30 records are in logstore ecs-reboot-1234567890123456-cn-hangzhou/ecs-reboot-records" in demo.stdout
    # What hangs is finished; what a scaling group owns is refused, and without the guard it is released.
    assert "batch-01: recovered" in demo.stdout
    assert "asg-01: managed" in demo.stdout
    assert "asg-01: Running -> Stopping -> Released" in demo.stdout
    # What is over is no reason for a reboot; what is not is one.
    assert "api-01: responsive" in demo.stdout
    assert "api-02: recovered" in demo.stdout
    for name in ("batch-01", "api-02"):
        assert f"chat      ［ecs-reboot］ {name} came back" in demo.stdout
    # It runs as deployed: over the template's table, with no right to write a tag.
    assert "PutRow" in demo.stdout
    assert "TagResources" not in demo.stdout
