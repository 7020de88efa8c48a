"""Which outcome is reported in the chat, as what kind of notice, in which words.

What happened is the record's own reason, what to do is the cure of the table of outcomes.
"""

from typing import Literal

from ecs_reboot.outcomes import Outcome
from ecs_reboot.records.notices.escaping import one_line
from ecs_reboot.records.notices.notice import Kind

Language = Literal["en", "zh"]


def kind_of(outcome: Outcome) -> Kind | None:
    """Return what kind of notice an outcome makes, None where it is for the records alone."""
    if outcome.code == "digest":
        return "digest"
    if outcome.state_after == "back" and outcome.done:
        return "came_back"
    if outcome.keeps_claim and outcome.done:
        return "observed" if outcome.denies_reboot else "rebooting"
    if not outcome.denies_reboot and outcome.severity != "info":
        return "not_back"
    return "needs_you" if outcome.pages else None


def sentence(outcome: Outcome, reason: str, language: Language, most: int) -> str:
    """Return what happened and what to do, in the operator's language, in at most ``most`` characters.

    Of a long reason the end is left out, never what to do. A reason without a translation stands behind the outcome's.
    """
    reason, cure = reason.rstrip(".") or outcome.meaning, outcome.cure
    if language == "en":
        to_do = f". {_capital(cure)}." if cure else "."
        told = one_line(_capital(reason), most - len(to_do))
    else:
        from ecs_reboot.records.notices import chinese_reasons, cures  # noqa: PLC0415 - only for notices in Chinese

        to_do = f"。{cures.in_chinese(cure)}。" if cure else "。"
        said = chinese_reasons.in_chinese(reason)
        told = one_line(said or f"{outcome.chinese}。记录原文：{reason}", most - len(to_do))
    return (told + to_do).replace("`", "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
