"""One simulated instance: its true history, of which the function sees only what the cloud shows."""

from random import Random
from typing import NamedTuple

from simulation.assumptions import Assumptions

#: Temperaments: comes back soon; takes long; ends in Stopped; a graceful reboot never leaves Stopping.
TEMPERS = ("brisk", "slow", "stays_down", "hangs")


class Spell(NamedTuple):
    """From ``since`` on the instance is in ``status``, and started last at ``started`` (seconds)."""

    since: float
    status: str
    started: float


class Machine:
    """The truth about one instance. ``reboots``: when a reboot asked for by the function took effect.

    ``in_scaling_group``: an Auto Scaling group owns it, which would release it for being down unless it is
    ``protected``. ``repair``: from when until when the platform itself repairs it.
    """

    def __init__(
        self, instance_id: str, region_id: str, tags: dict[str, str], temper: str, random: Random, *, started: float
    ) -> None:
        self.instance_id, self.region_id = instance_id, region_id
        self.temper, self.random = temper, random
        self.spells = [Spell(started, "Running", started)]
        self.tags = [(started, tags)]
        self.locked = False
        self.in_scaling_group = self.protected = False
        self.repair = (0.0, 0.0)
        self.reboots: list[float] = []

    def at(self, moment: float) -> Spell:
        """Return what was the case at ``moment``."""
        for spell in reversed(self.spells):
            if spell.since <= moment:
                return spell
        return self.spells[0]

    def under_repair(self, moment: float) -> bool:
        """Return whether the platform repairs it."""
        return self.repair[0] <= moment < self.repair[1]

    def tags_at(self, moment: float) -> dict[str, str]:
        """Return the owner's tags at ``moment``."""
        for since, tags in reversed(self.tags):
            if since <= moment:
                return tags
        return self.tags[0][1]

    def reboot(self, now: float, *, force: bool, assumptions: Assumptions) -> None:
        """Begin a reboot; whoever asked for it."""
        started = self.at(now).started
        cycle = assumptions.cycle * self.random.uniform(1, 3) * (8 if self.temper == "slow" else 1)
        stopping = cycle * (0.05 if force else 0.4)
        self.spells = [spell for spell in self.spells if spell.since <= now][-4:]
        self.spells.append(Spell(now, "Stopping", started))
        if self.temper == "hangs" and not force:
            return
        if self.temper == "stays_down":
            self.spells.append(Spell(now + stopping, "Stopped", started))
            return
        up = now + cycle
        self.spells.append(Spell(now + stopping, "Starting", started))
        self.spells.append(Spell(up, "Running", up if assumptions.start_moves else started))

    def stop(self, now: float, *, assumptions: Assumptions) -> None:
        """Power it off."""
        started = self.at(now).started
        self.spells = [spell for spell in self.spells if spell.since <= now][-4:]
        self.spells.append(Spell(now, "Stopping", started))
        self.spells.append(Spell(now + assumptions.cycle * self.random.uniform(0.05, 0.15), "Stopped", started))

    def start(self, now: float, *, assumptions: Assumptions) -> None:
        """Start it after it was stopped."""
        started = self.at(now).started
        up = now + assumptions.cycle * self.random.uniform(0.6, 2)
        self.spells = [spell for spell in self.spells if spell.since <= now][-4:]
        self.spells.append(Spell(now, "Starting", started))
        self.spells.append(Spell(up, "Running", up if assumptions.start_moves else started))

    def bring_up(self, now: float) -> None:
        """Have a person bring it up again, for good."""
        self.temper = "brisk"
        if self.at(now).status in ("Stopped", "Stopping") and self.spells[-1].since <= now:
            self.spells.append(Spell(now, "Starting", self.at(now).started))
            self.spells.append(Spell(now + 20, "Running", now + 20))

    def was_down(self, since: float, until: float) -> bool:
        """Return whether there was a moment in between at which it was not Running."""
        return self.at(since).status != "Running" or any(
            since <= spell.since <= until and spell.status != "Running" for spell in self.spells
        )

    def was_up(self, since: float, until: float) -> bool:
        """Return whether it was Running again at some moment in between."""
        return any(since < spell.since <= until and spell.status == "Running" for spell in self.spells)
