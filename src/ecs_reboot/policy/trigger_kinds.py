"""Which kind of trigger asked: settings that bind some kinds and not others name them so."""

#: Finishing a reboot of ours that hangs: no window or second opinion binds it.
FINISH = "finish"
KINDS = ("alarm", "event", "timer", "manual")


def trigger_kind(trigger: str) -> str:
    """Return which kind of trigger it was: `alarm`, `event`, `timer`, `manual` (WINDOW_TRIGGERS), or `finish`."""
    innermost = trigger.rpartition(">")[2]
    return {"timer": "timer", "manual": "manual", FINISH: FINISH, "cms_event": "event", "eventbridge": "event"}.get(
        innermost, "alarm"
    )
