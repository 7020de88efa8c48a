"""What a pause says: its reason, who set it, and until when."""

from datetime import datetime, timezone

import pytest

from ecs_reboot.policy.pause import Pause, parse_pause

UNTIL = datetime(2026, 12, 1, 6, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (" ; ", None),
        ("disk move", Pause(reason="disk move", by="", until=None)),
        ("disk move; by=wang; until=2026-12-01T06:00Z", Pause(reason="disk move", by="wang", until=UNTIL)),
        ("disk; rack 7; size=3; by = wang", Pause(reason="disk; rack 7; size=3", by="wang", until=None)),
        ("; by=wang", Pause(reason="no reason given", by="wang", until=None)),
    ],
)
def test_a_pause_is_read_from_its_text(text: str, expected: Pause | None) -> None:
    assert parse_pause(text) == expected


def test_a_time_that_is_none_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"until='tomorrow' is no UTC time; write it like 2026-12-01T06:00Z"):
        parse_pause("disk move; until=tomorrow")
