"""ECS for a function that only observes: it reads, it writes the shadow of the ledger, and it reboots nothing.

The code above asks for no reboot while it observes. This is the second lock: whatever it asks for, nothing happens.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecs_reboot.cloud.ecs_api import EcsApi, Question, TagPage
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger.entry import OBSERVED_KEY
from ecs_reboot.model import Instance, RebootAnswer, Selector

#: How the names of calls begin that change nothing.
READS = ("Describe", "Get", "List")


class ObservingEcs:
    """``EcsApi`` without the calls that change a machine. Raises AssertionError on those: they are mistakes of ours."""

    def __init__(self, ecs: EcsApi) -> None:
        self._ecs = ecs

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:
        """Pass questions on."""
        changes = [question.api.action for question in questions if not question.api.action.startswith(READS)]
        if changes:
            raise AssertionError(f"an observing function was about to call {', '.join(changes)}")
        return self._ecs.ask(questions, seconds)

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Pass on."""
        return self._ecs.describe(region_id, instance_ids)

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Pass on."""
        return self._ecs.select(selector)

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Pass on."""
        return self._ecs.count(region_id, tag)

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:
        """Pass on."""
        return self._ecs.tag_page(region_id, key, start, whole=whole)

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        """Write the shadow ledger, and no other tag."""
        if key != OBSERVED_KEY:
            raise AssertionError(f"an observing function writes the tag {OBSERVED_KEY} only, not {key}")
        self._ecs.set_tag(region_id, instance_ids, key, value)

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Take away the shadow ledger, and no other tag."""
        if key != OBSERVED_KEY:
            raise AssertionError(f"an observing function removes the tag {OBSERVED_KEY} only, not {key}")
        self._ecs.remove_tag(region_id, instance_ids, key)

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Pass dry runs on."""
        if not dry_run:
            raise AssertionError(f"an observing function was about to reboot {', '.join(instance_ids)}")
        return self._ecs.reboot(
            region_id, instance_ids, force=force, dry_run=True, batch_optimization=batch_optimization
        )

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002 - the protocol's
        """Refuse: an observing function stops nothing."""
        raise AssertionError(f"an observing function was about to stop {', '.join(instance_ids)}")

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002 - the protocol's
        """Refuse: an observing function starts nothing."""
        raise AssertionError(f"an observing function was about to start {', '.join(instance_ids)}")
