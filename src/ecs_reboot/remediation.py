"""One pass over what an event asks for: describe, decide, reboot. The order of all I/O is written here.

```
requests --select / describe, <=100 IDs a call, by region--> instances --decide--> skip --> result
                                                                            '--> reboot --> batches --> results
```
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

from ecs_reboot import records, retry
from ecs_reboot.clock import Deadline
from ecs_reboot.errors import CloudError, Refused
from ecs_reboot.model import Instance, RebootAnswer, RebootRequest, Selector, Target
from ecs_reboot.policy import Facts, Policy, decide
from ecs_reboot.reboot_batch import Mode, Order, RebootBatch
from ecs_reboot.records import Result

#: DescribeInstances and RebootInstances take at most 100 instances a call.
BATCH = 100

T = TypeVar("T")


class EcsApi(Protocol):
    """The calls a pass makes; ``ecs.Ecs`` makes them for real."""

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Return the facts of those instances that are visible."""

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield pages of instances that meet the selector."""

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Ask for a reboot."""


class Wish(NamedTuple):
    """One instance that one request asks for; ``seen`` where a selector found it and so gave its facts."""

    request: RebootRequest
    target: Target
    seen: Instance | None


class Remediation:
    """Carries requests out under one policy.

    ``intend`` is told of each reboot before ECS is asked for it. ``run`` raises nothing that a call to ECS can cause:
    every failure is a result.
    """

    def __init__(
        self,
        ecs: EcsApi,
        policy: Policy,
        deadline: Deadline,
        *,
        batch_optimization: str,
        dry_run: bool,
        intend: Callable[[Result], None],
    ) -> None:
        self._ecs, self._policy, self._deadline = ecs, policy, deadline
        self._batch_optimization, self._dry_run = batch_optimization, dry_run
        self._intend = intend

    def run(self, requests: Iterable[RebootRequest]) -> list[Result]:
        """Return one result for each instance asked for, and one for each request that led to none."""
        results: list[Result] = []
        wishes: dict[tuple[str, str], Wish] = {}
        for request in requests:
            for wish in self._wishes(request, results):
                key = wish.target.region_id, wish.target.instance_id
                if key in wishes:
                    results.append(self._repeated(wish, wishes[key]))
                else:
                    wishes[key] = wish
        orders: dict[Mode, list[Order]] = {}
        for region_id in dict.fromkeys(region_id for region_id, _ in wishes):
            for facts in self._described(
                [wish for wish in wishes.values() if wish.target.region_id == region_id], results
            ):
                decision = decide(facts)
                if decision.action == "skip":
                    results.append(records.of_decision(facts, "skip", decision.code, decision.reason))
                    continue
                dry_run = self._dry_run or facts.request.dry_run
                mode = Mode(region_id, decision.force, dry_run, self._batch_optimization)
                orders.setdefault(mode, []).append(Order(facts, decision))
        for mode, ordered in orders.items():
            for batch in _batches(ordered):
                run = RebootBatch(self._describe, self._ecs.reboot, self._deadline, self._intend, mode)
                results += run.run(batch)
        order = {key: place for place, key in enumerate(wishes)}
        return sorted(results, key=lambda result: order.get((result.region_id, result.instance_id), -1))

    def _wishes(self, request: RebootRequest, results: list[Result]) -> Iterator[Wish]:
        for target in request.targets:
            yield Wish(request, target, None)
        selector = request.selector
        if selector is None:
            return
        try:
            found = retry.read(lambda: [one for page in self._ecs.select(selector) for one in page], self._deadline)
        except CloudError as error:
            results.append(records.of_request(request, selector.region_id, **_failure(error)))
            return
        if not found:
            reason = f"no instance in {selector.region_id} meets the selector, or this function's role may not see any"
            results.append(records.of_request(request, selector.region_id, "no_match", reason))
        for instance in found:
            yield Wish(request, Target(instance_id=instance.instance_id, region_id=selector.region_id), instance)

    def _described(self, wishes: list[Wish], results: list[Result]) -> Iterator[Facts]:
        """Yield the facts of each wish; a wish whose facts can't be read becomes a result."""
        for batch in _batches(wishes):
            missing = tuple(wish.target.instance_id for wish in batch if wish.seen is None)
            found = {wish.target.instance_id: wish.seen for wish in batch if wish.seen}
            failure = None
            if missing:
                try:
                    found |= {one.instance_id: one for one in self._describe(batch[0].target.region_id, missing)}
                except CloudError as error:
                    failure = _failure(error)
            for wish in batch:
                facts = self._facts(wish, found.get(wish.target.instance_id))
                if failure and facts.instance is None:
                    results.append(records.of_decision(facts, "skip", **failure))
                else:
                    yield facts

    def _describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        return retry.read(lambda: self._ecs.describe(region_id, instance_ids), self._deadline)

    def _facts(self, wish: Wish, instance: Instance | None) -> Facts:
        return Facts(
            request=wish.request,
            target=wish.target,
            instance=instance,
            policy=self._policy,
            now=self._deadline.clock.now(),
        )

    def _repeated(self, wish: Wish, first: Wish) -> Result:
        reason = f"the event asks for this instance more than once; see the result for: {first.request.evidence}"
        return records.of_decision(self._facts(wish, None), "skip", "repeated", reason)


def _batches(things: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]


def _failure(error: CloudError) -> dict[str, Any]:
    """Describe a look-up that failed for good, as the fields of a result."""
    failure: dict[str, Any] = {
        "code": error.code,
        "reason": f"the instance could not be looked up: {error}",
        "retriable": True,
    }
    if isinstance(error, Refused):
        failure |= {"api_code": error.code, "api_message": error.message, "api_request_id": error.request_id}
    return failure
