"""How long to wait for one instance: the settings' times, or its own by tag where an owner knows better.

Bare metal and Windows with updates take far longer to boot than the rest of a fleet. A tag whose value is no whole
number within the bounds is left out of account: then the setting counts.
"""

from ecs_reboot.model import Instance
from ecs_reboot.named_tuple import NamedTuple


class OwnSeconds(NamedTuple):
    """One tag of an instance that stands in for a setting, and the bounds of both."""

    tag: str
    setting: str
    least: int
    most: int

    def of(self, instance: Instance | None, otherwise: int) -> int:
        """Return the instance's own seconds, or ``otherwise``."""
        text = dict(instance.tags).get(self.tag, "").strip() if instance else ""
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(self.most))):
            return otherwise
        return int(text) if self.least <= int(text) <= self.most else otherwise


GRACE = OwnSeconds("ecs-reboot.grace-seconds", "GRACE_SECONDS", 0, 86_400)
VERIFY = OwnSeconds("ecs-reboot.verify-seconds", "VERIFY_SECONDS", 0, 3600)
HUNG_AFTER = OwnSeconds("ecs-reboot.hung-after-seconds", "HUNG_AFTER_SECONDS", 60, 86_400)
