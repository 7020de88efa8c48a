"""Which kind of trigger asked: settings that bind some kinds and not others name them so."""

KINDS = ("alarm", "event", "timer", "manual")


def trigger_kind(trigger: str) -> str:
    """Return which kind of trigger it was: `alarm`, `event`, `timer` or `manual` (WINDOW_TRIGGERS)."""
    innermost = trigger.rpartition(">")[2]
    return {"timer": "timer", "manual": "manual", "cms_event": "event", "eventbridge": "event"}.get(innermost, "alarm")
