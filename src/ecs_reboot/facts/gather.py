"""Asks the fact sources for the instances of a region: in rounds, all questions of a round together.

A source that can't be read is no reason to go on: it is noted in the findings, and the guards that read it refuse.
"""

from collections.abc import Sequence
from typing import Any

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, Question, batches
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.facts.answers import Body, Inquiry
from ecs_reboot.facts.sources import SOURCES, FactSource
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Findings, Unread

#: How long all facts together may take, at most half of what is left: the claim and the reboot need the rest. Seconds.
LONGEST = 5.0


class _Open(NamedTuple):
    """An inquiry that waits for answers to its questions."""

    source: FactSource
    ids: tuple[str, ...]
    inquiry: Inquiry
    questions: tuple[Question, ...]


def gather(ecs: EcsApi, region_id: str, candidates: Sequence[Facts], deadline: Deadline) -> list[Facts]:
    """Return the same facts with findings, which hold what could not be read too. Raises nothing a call can cause."""
    gathering = _Gathering()
    within = Deadline(deadline.clock, min(LONGEST, deadline.left() / 2))
    for source in SOURCES:
        for part in batches([facts for facts in candidates if source.wanted(facts)], source.most):
            ids = tuple(facts.target.instance_id for facts in part)
            gathering.go_on(_Open(source, ids, _inquirer(source.name)(region_id, part), ()), None)
    while gathering.waiting:
        this_round, gathering.waiting = gathering.waiting, []
        answers = iter(
            _answered(ecs, [question for open_inquiry in this_round for question in open_inquiry.questions], within)
        )
        for open_inquiry in this_round:
            gathering.go_on(open_inquiry, [next(answers) for _ in open_inquiry.questions])
    return [facts.model_copy(update={"findings": gathering.findings(facts.target.instance_id)}) for facts in candidates]


class _Gathering:
    """What came of the inquiries so far, by instance ID; ``waiting`` are those with questions open."""

    def __init__(self) -> None:
        self.waiting: list[_Open] = []
        self._known: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, list[str]] = {}
        self._unread: dict[str, list[Unread]] = {}

    def go_on(self, open_inquiry: _Open, answers: Sequence[Body | CloudError] | None) -> None:
        """Take an inquiry to its next questions, or to its end; None starts it."""
        failed = next((answer for answer in answers or () if isinstance(answer, CloudError)), None)
        try:
            if failed is not None:
                raise failed
            bodies = [answer for answer in answers or () if not isinstance(answer, CloudError)]
            questions = next(open_inquiry.inquiry) if answers is None else open_inquiry.inquiry.send(bodies)
            self.waiting.append(open_inquiry._replace(questions=tuple(questions)))
        except StopIteration as end:
            for instance_id in open_inquiry.ids:
                self._asked.setdefault(instance_id, []).append(open_inquiry.source.name)
                if instance_id in end.value:
                    self._known.setdefault(instance_id, {})[open_inquiry.source.name] = end.value[instance_id]
        except CloudError as error:
            note = Unread(source=open_inquiry.source.name, error=str(error), retriable=_may_pass_later(error))
            for instance_id in open_inquiry.ids:
                self._unread.setdefault(instance_id, []).append(note)

    def findings(self, instance_id: str) -> Findings:
        """Return what is known of one instance."""
        return Findings(
            asked=tuple(self._asked.get(instance_id, ())),
            unread=tuple(self._unread.get(instance_id, ())),
            **self._known.get(instance_id, {}),
        )


def _answered(ecs: EcsApi, questions: list[Question], within: Deadline) -> list[Body | CloudError]:
    """Ask, and ask again what may pass, as long as there is time."""
    answers = ecs.ask(questions, within.left())
    for wait in retry.waits(within):
        again = {
            place: retry.pause_after(answer, wait, within.clock, by_the_minute=questions[place].api.product == "ecs")
            for place, answer in enumerate(answers)
            if isinstance(answer, CloudError) and retry.may_pass(answer)
        }
        if not again or not within.wait(max(again.values())):
            break
        for place, answer in zip(again, ecs.ask([questions[place] for place in again], within.left()), strict=True):
            answers[place] = answer
    return answers


def _may_pass_later(error: CloudError) -> bool:
    return retry.may_pass(error) or (isinstance(error, Refused) and error.about_the_caller)


def _inquirer(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - a source that is switched off is never loaded

    return import_module(f"ecs_reboot.facts.{name}").inquire
