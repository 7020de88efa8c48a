"""Which outcome is told in the chat, as what kind of notice, in which words: made from the table of outcomes."""

from typing import Literal

from ecs_reboot.outcomes import Outcome
from ecs_reboot.records.notices.notice import Kind

Language = Literal["en", "zh"]

#: Outcomes that are about the whole region, or the function itself, however many instances they were given for.
OF_REGION = frozenset(
    {"suspended", "storm_began", "no_credentials", "caller_refused", "Forbidden.RAM", "InsufficientBalance"}
)


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


def sentence(outcome: Outcome, language: Language) -> str:
    """Return what happened and what to do, in the operator's language."""
    if language == "en":
        return f"{outcome.meaning}; {outcome.cure}" if outcome.cure else outcome.meaning
    if not outcome.cure:
        return outcome.chinese
    from ecs_reboot.records.notices.cures import in_chinese  # noqa: PLC0415 - only where Chinese is told

    return f"{outcome.chinese}；{in_chinese(outcome.cure)}"
