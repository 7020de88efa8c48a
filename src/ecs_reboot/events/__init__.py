"""ParsedEvent events: the only place where bytes of strangers become instance IDs (docs/understand/events.md)."""

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.reader import read

__all__ = ["EventSettings", "read"]
