"""Reading events: the only place where bytes of strangers become instance IDs (docs/events.md)."""

from .reading import read
from .rules import Rules

__all__ = ["Rules", "read"]
