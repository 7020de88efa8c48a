"""What a run asks of the world, as values; and the doors through which the real function asks it.

A run has one door for all: its clock, ECS and the table. Whatever it asks becomes a ``Call`` or a ``Sleep``, and the
run stands still until it is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from ecs_reboot.cloud.ecs_api import Question, TagPage
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.cloud.tablestore.rows import BatchWritten, Change, Key, Page, Put, RangeEnd, Read, Written
from ecs_reboot.model import Instance, RebootAnswer, Selector
from ecs_reboot.records.result import Result
from simulation.run import EPOCH

Action = Literal[
    "DescribeInstances", "DescribeInstances by tag", "TagResources",
    "RebootInstances", "RebootInstances by force", "RebootInstances dry run", "StopInstances", "StartInstances",
    "DescribeScalingInstances", "DescribeScalingGroups", "DescribeInstanceHistoryEvents", "SetInstancesProtection",
    "BatchGetRow", "PutRow", "BatchWriteRow",
]  # fmt: skip
#: Calls that change something.
CHANGING: tuple[Action, ...] = (
    "TagResources", "RebootInstances", "RebootInstances by force", "StopInstances", "StartInstances",
    "SetInstancesProtection", "PutRow", "BatchWriteRow",
)  # fmt: skip
#: How many numbers a run draws for its name (remediation.chosen_ledger), before all else.
DRAWS_OF_A_NAME = 2


def run_name(number: int) -> str:
    """Return the name of the run of this number, as it makes it from what it draws."""
    return f"{int(_draw(number) * 2**32):08x}" * DRAWS_OF_A_NAME


def _draw(number: int) -> float:
    return (number + 1) / 64


class Call(NamedTuple):
    """One request to a service.

    ``announced``: the instances for which an intent record was printed before. ``said``: the verdicts that a person
    must hear and that are in a record by then, as instance and code.
    """

    action: Action
    subject: Any
    announced: frozenset[str] = frozenset()
    said: tuple[tuple[str, str], ...] = ()


class Sleep(NamedTuple):
    """The run waits, seconds."""

    seconds: float


class End(NamedTuple):
    """The run answered: a result for each instance, and whether Function Compute tries the event again."""

    results: tuple[Result, ...]
    retriable: bool


Step = Call | Sleep | End
Ask = Callable[[Call | Sleep], tuple[float, object]]
"""Asks, and returns the time and the answer; an answer that is a CloudError is raised by the door."""


class Door:
    """``clock.Clock``, ``ecs_api.EcsApi`` and ``table_rows.TableApi`` of one run.

    ``number`` tells it from the others: the first draws name a run. Every later draw is 0: luck parts no two runs, and
    those that wait alike go on in every order.
    """

    def __init__(self, ask: Ask, began: float, number: int) -> None:
        self._ask, self._now = ask, began
        self._draws = [_draw(number)] * DRAWS_OF_A_NAME
        self.announced: set[str] = set()
        self.said: tuple[tuple[str, str], ...] = ()

    # ---- the clock

    def now(self) -> datetime:
        """Return the time of day."""
        return EPOCH + timedelta(seconds=self._now)

    def elapsed(self) -> float:
        """Return seconds since the beginning."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._now, _ = self._ask(Sleep(seconds))

    def jitter(self) -> float:
        """Return what is drawn."""
        return self._draws.pop() if self._draws else 0.0

    # ---- ECS

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:  # noqa: ARG002
        """Ask one question after the other; one that has no answer has its error instead."""
        return [self._asked(question) for question in questions]

    def _asked(self, question: Question) -> Any:
        action: Action = question.api.action  # type: ignore[assignment]  # one that no scenario knows is no key there
        subject: Any = tuple(question.parameters.get("InstanceIds") or question.parameters.get("ResourceId") or ())
        if action == "SetInstancesProtection":
            subject = subject, question.parameters["ProtectedFromScaleIn"] == "true"
        self._now, answer = self._ask(Call(action, subject))
        return answer

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:  # noqa: ARG002 - one region
        """Return the facts of instances."""
        return self._answer(Call("DescribeInstances", instance_ids))  # type: ignore[no-any-return]  # the world's word

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Refuse: no scenario selects."""
        raise AssertionError(f"{selector}: no scenario selects instances")

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Refuse: the limits of the scenarios are numbers."""
        raise AssertionError(f"{region_id}, {tag}: no scenario has a limit that is a share")

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:  # noqa: ARG002
        """Return the ledger's tags, all on one page."""
        return TagPage(tuple(self._answer(Call("DescribeInstances by tag", key))))

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:  # noqa: ARG002
        """Write the ledger's tag."""
        self._answer(Call("TagResources", (instance_ids, key, value)))

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Refuse: no scenario has an entry that is old enough to be removed."""
        raise AssertionError(f"{region_id}, {instance_ids}, {key}: no entry is old")

    def reboot(
        self,
        region_id: str,  # noqa: ARG002
        instance_ids: tuple[str, ...],
        *,
        force: bool,
        dry_run: bool,
        batch_optimization: str,  # noqa: ARG002 - a call names one instance here
    ) -> RebootAnswer:
        """Ask for a reboot."""
        action: Action = "RebootInstances by force" if force else "RebootInstances"
        return self._powered("RebootInstances dry run" if dry_run else action, instance_ids)

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002 - one region
        """Power off by force."""
        return self._powered("StopInstances", instance_ids)

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002
        """Start."""
        return self._powered("StartInstances", instance_ids)

    def _powered(self, action: Action, instance_ids: tuple[str, ...]) -> RebootAnswer:
        return self._answer(Call(action, instance_ids, frozenset(self.announced)))  # type: ignore[no-any-return]

    # ---- the table

    def batch_get_row(self, table: str, keys: Sequence[Key]) -> Read:  # noqa: ARG002 - one table
        """Read rows."""
        return self._answer(Call("BatchGetRow", tuple(keys)))  # type: ignore[no-any-return]

    def put_row(self, table: str, change: Put) -> Written:  # noqa: ARG002
        """Replace one row."""
        return self._answer(Call("PutRow", change))  # type: ignore[no-any-return]

    def batch_write_row(self, table: str, changes: Sequence[Change]) -> BatchWritten:  # noqa: ARG002
        """Change rows."""
        return self._answer(Call("BatchWriteRow", tuple(changes)))  # type: ignore[no-any-return]

    def get_range(self, table: str, start: RangeEnd, end: RangeEnd, *, limit: int = 5_000) -> Page:
        """Refuse: a claim lists nothing."""
        raise AssertionError(f"{table}, {start}, {end}, {limit}: a claim lists nothing")

    def _answer(self, call: Call) -> Any:
        self._now, answer = self._ask(call._replace(said=self.said))
        if isinstance(answer, CloudError):
            raise answer
        return answer
