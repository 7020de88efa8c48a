"""The digest that the function tells: each code in one part, both languages, and back from its record."""

import pytest

from ecs_reboot.outcomes import BY_CODE, OUTCOMES, Code
from ecs_reboot.records import digest

COUNTED = {"would_reboot": 7, "cooldown": 30, "storm": 11, "alarm_over": 1_000}


def test_one_sentence_and_its_reasons() -> None:
    assert digest.sentence(COUNTED) == "would have rebooted 7, rebooted 0, refused 41"
    assert digest.sentence(COUNTED, "zh") == "本应重启 7 次，重启 0 次，拒绝 41 次"
    assert [line.partition(":")[0] for line in digest.reasons(COUNTED)] == ["30 cooldown", "11 storm", "7 would_reboot"]
    assert digest.reasons(COUNTED, "zh")[0] == "30 cooldown: 冷却时间内"
    assert digest.read(digest.written(COUNTED)) == COUNTED


@pytest.mark.parametrize(("code", "part"), [
    ("would_reboot", "would"), ("DRYRUN.SUCCESS", "would"), ("accepted", "rebooted"), ("hung", "rebooted"),
    ("cooldown", "refused"), ("responsive", "refused"), ("claimed_elsewhere", "refused"), ("refused", "refused"),
    ("alarm_over", "idle"), ("malformed", "idle"), ("digest", "idle"),
])  # fmt: skip
def test_each_code_is_in_one_part(code: Code, part: str) -> None:
    assert digest.part_of(BY_CODE[code]) == part


def test_what_never_was_a_reboot_is_not_counted_as_one() -> None:
    assert {outcome.code for outcome in OUTCOMES if digest.part_of(outcome) == "rebooted"} == {
        outcome.code for outcome in OUTCOMES if not outcome.denies_reboot
    }
