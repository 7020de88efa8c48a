"""A local cloud for acceptance runs, and runs on it."""

from collections.abc import Callable
from pathlib import Path

from local_deployment import ROOT, clients

from acceptance.run import AcceptanceRequest, AcceptanceRun
from acceptance.stage import Patience
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.server.server import Running

#: One instance for each check that reboots: StartTime has minutes, so none is rebooted twice.
INSTANCES = tuple(f"i-bp1throwaway{number:08d}" for number in range(8))
NAME = "er-acceptance"
#: For what never comes: nothing is waited for. What does come is given all the time of a busy machine.
NEVER, SURELY = Patience(1.0, 1.0, 60.0, 0.05, next_minute=False), Patience(60.0, 60.0, 60.0, 0.05, next_minute=False)


def fleet(*deviations: str) -> Fleet:
    return Fleet(
        instances=tuple(InstanceSpec(instance_id=name, reboot_seconds=60, tags={"app": "web"}) for name in INSTANCES),
        limits={"ecs": {"DescribeRegions": 3}},
        deviations=deviations,
        time_scale=50,
    )


def prepared(
    whole: Running,
    package: Path,
    folder: Path,
    *only: str,
    name: str = NAME,
    allow: Callable[[str], bool] = lambda _what: True,
    tell: Callable[[str], None] = lambda _text: None,
) -> AcceptanceRun:
    asked = AcceptanceRequest(
        INSTANCES[0], name, ROOT / "template.yml", package, folder / "run.json", folder / "report.md", "operators", only
    )
    return AcceptanceRun(asked, clients(whole), say=lambda _line: None, tell=tell, allow=allow, patience=SURELY)
