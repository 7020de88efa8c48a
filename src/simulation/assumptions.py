"""What the function's promises rest on, as bounds on how the simulated cloud misbehaves (docs/understand/safety.md)."""

from typing import NamedTuple

from simulation.conditions import CLOSE, VARIED, Profile


class Assumptions(NamedTuple):
    """Bounds; seconds. A simulated fault never goes beyond them."""

    #: ECS refuses to reboot an instance that is not Running.
    mutex: bool = True
    #: What an API shows is at most so old.
    staleness: float = 0.25
    #: What one answer shows, all of it was true at one moment.
    consistent: bool = True
    #: A request takes effect within this long after it was sent, or never.
    request: float = 0.5
    #: How long a claim stands before it counts (CLAIM_SETTLE_SECONDS).
    settle: float = 2.0
    #: A reboot takes at least this long.
    cycle: float = 15.0
    #: No machine's clock is further from the true time.
    skew: float = 120.0
    #: The start time that ECS shows moves with a reboot.
    start_moves: bool = True
    #: A timer sends `verify` this often; 0 for never.
    sweep: float = 600.0
    #: Nobody but the function writes the ledger's tag.
    own_key: bool = True


#: What `--assume-less NAME` takes away.
LESS: dict[str, dict[str, float | bool]] = {
    "mutex": {"mutex": False},
    "staleness": {"staleness": 20.0},
    "consistent": {"consistent": False},
    "request": {"request": 20.0},
    "settle": {"settle": 0.0},
    "cycle": {"cycle": 0.5},
    "skew": {"skew": 1200.0},
    "start_moves": {"start_moves": False},
    "sweep": {"sweep": 0.0},
    "own_key": {"own_key": False},
}


def less(names: list[str]) -> Assumptions:
    """Return the assumptions without those named. Raises KeyError for a name that is none."""
    assumptions = Assumptions()
    for name in names:
        assumptions = assumptions._replace(**LESS[name])  # type: ignore[arg-type]  # mypy can't see a table's keys
    return assumptions


#: What a campaign draws where an assumption is taken away, VARIED for those not named.
PROFILES = {"settle": CLOSE}


def profile_without(names: list[str]) -> Profile:
    """Return what to draw the conditions from without the assumptions named."""
    return next((PROFILES[name] for name in names if name in PROFILES), VARIED)
