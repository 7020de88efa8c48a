"""Stacks: what a template becomes, resource by resource, with an event for each step.

A stack under way takes a few steps each time somebody looks at it, so that progress can be seen, an interruption can be
tested, and nothing depends on time.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cloud_languages.template.document import Document
from cloud_languages.template.expression import evaluate
from cloud_languages.template.render import Planned, RenderedStack
from cloud_languages.template.updates import differing
from localcloud.account.credentials import Identity
from localcloud.ros import rights
from localcloud.ros.account import RosAccount
from localcloud.ros.resource_types import Made, NotMade, change, make, take_away

STEPS_A_LOOK = 8
GOING, DONE, FAILED = "IN_PROGRESS", "COMPLETE", "FAILED"
_log = logging.getLogger(__name__)


class StackEvent(NamedTuple):
    """One line of a stack's history."""

    number: int
    at: datetime
    name: str
    type: str
    physical_id: str
    status: str
    reason: str


class Standing(NamedTuple):
    """A resource of a stack that was made: from which properties, and whether it outlives the stack."""

    planned: Planned
    properties: Any
    made: Made


class Stack:
    """One stack of the account. ``look`` takes a few steps."""

    def __init__(
        self, account: RosAccount, stack_id: str, name: str, document: Document, given: Mapping[str, str]
    ) -> None:
        self.account, self.stack_id, self.name = account, stack_id, name
        self.document, self.given = document, given
        self.status, self.reason = f"CREATE_{GOING}", "Stack CREATE started"
        self.events: list[StackEvent] = []
        self.standing: dict[str, Standing] = {}
        self.outputs: dict[str, Any] = {}
        self.values: Mapping[str, Any] = {}
        self.conditions: Mapping[str, bool] = {}
        self._steps: Iterator[None] = iter(())
        self._asked_by = Identity(kind="root", name=account.cloud.account)

    def begin(self, action: str, decided: RenderedStack | None, asked_by: Identity) -> None:
        """Start to CREATE or UPDATE towards a plan, or to DELETE, with the rights of who asks."""
        self._asked_by = asked_by
        self._set(f"{action}_{GOING}", f"Stack {action} started")
        self._steps = self._delete() if decided is None else self._build(action, decided)

    def look(self) -> None:
        """Take a few steps. A mistake of the local cloud itself is a state too: no stack is under way for ever."""
        try:
            for _ in range(STEPS_A_LOOK):
                next(self._steps, None)
        except Exception as error:  # noqa: BLE001 - said, and logged with its traceback
            _log.exception("the local cloud failed at the stack %s", self.name)
            self._set(self.status.replace(GOING, FAILED), f"InternalError: {type(error).__name__}: {error}")

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.status.endswith(GOING)

    def ref(self, name: str) -> Any:
        """Return the value of a parameter, or a resource's physical ID."""
        return self.standing[name].made.physical_id if name in self.standing else self.values[name]

    def attribute(self, resource: str, name: str) -> Any:
        """Return an attribute of a resource that stands. Raises NotMade where it has none of that name."""
        attributes = self.standing[resource].made.attributes
        if name not in attributes:
            raise NotMade(f"InvalidTemplateAttribute: {resource} has no attribute {name}")
        return attributes[name]

    def condition(self, name: str) -> bool:
        """Return whether a condition holds."""
        return self.conditions[name]

    def _build(self, action: str, decided: RenderedStack) -> Iterator[None]:
        self.values, self.conditions = decided.values, decided.conditions
        wanted = {resource.name for resource in decided.resources}
        for resource in decided.resources:
            taken_away = False
            try:
                properties = evaluate(resource.properties, self)
                before = self.standing.get(resource.name)
                if before and (before.properties, before.planned.type) == (properties, resource.type):
                    self.standing[resource.name] = before._replace(planned=resource)  # it may need others than before
                    continue
                self._event(resource, "", f"{action if before else 'CREATE'}_{GOING}")
                yield
                if before:
                    _require_updatable(resource.type, before.properties, properties)
                self._require("update" if before else "create", resource.type, properties)
                if before and before.made.change:
                    made = change(before.made, properties)
                else:
                    if before:
                        take_away(before.made)
                        taken_away = True
                    made = make(self.account, resource.type, properties)
            except NotMade as error:
                if taken_away:
                    del self.standing[resource.name]
                self._event(resource, "", f"{action}_{FAILED}", str(error))
                yield from self._give_up(action, f"{resource.name}: {error}")
                return
            self.standing[resource.name] = Standing(resource, properties, made)
            self._event(resource, made.physical_id, f"{action if before else 'CREATE'}_{DONE}")
            yield
        try:
            for name in [name for name in self._deletion_order() if name not in wanted]:
                yield from self._take(name)
            self.outputs = {name: evaluate(output.get("Value"), self) for name, output in decided.outputs.items()}
        except NotMade as error:
            yield from self._give_up(action, str(error))
            return
        self._set(f"{action}_{DONE}", f"Stack {action} completed successfully")

    def _give_up(self, action: str, reason: str) -> Iterator[None]:
        if action == "UPDATE":
            # What an update had already changed stays so here; the service would put it back.
            self._set(f"UPDATE_{FAILED}", reason)
            return
        self._set(f"CREATE_ROLLBACK_{GOING}", reason)
        yield from self._take_all("CREATE_ROLLBACK", reason)

    def _delete(self) -> Iterator[None]:
        yield from self._take_all("DELETE", "Stack DELETE completed successfully")

    def _take_all(self, action: str, reason: str) -> Iterator[None]:
        for name in self._deletion_order():
            try:
                yield from self._take(name)
            except NotMade as error:
                self._set(f"{action}_{FAILED}", str(error))
                return
        self._set(f"{action}_{DONE}", reason)

    def _take(self, name: str) -> Iterator[None]:
        """Take one resource away. Raises NotMade, with its name, where that is refused: then it stands."""
        planned, properties, made = self.standing[name]
        if not planned.retained:
            self._event(planned, made.physical_id, f"DELETE_{GOING}")
            try:
                self._require("delete", planned.type, properties)
                take_away(made)
            except NotMade as error:
                self._event(planned, made.physical_id, f"DELETE_{FAILED}", str(error))
                raise NotMade(f"{name}: {error}") from error
        del self.standing[name]
        self._event(planned, made.physical_id, f"DELETE_{DONE}", "retained" if planned.retained else "")
        yield

    def _deletion_order(self) -> list[str]:
        """Return what stands, each before all that it needs: an update may have made the needed one later."""
        order: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in order or name in above:  # what a failed update left may need itself
                return
            for needed in self.standing[name].planned.needs:
                if needed in self.standing:
                    visit(needed, (*above, name))
            order[name] = None

        for name in self.standing:
            visit(name, ())
        return list(reversed(order))

    def _require(self, done: str, kind: str, properties: Any) -> None:
        """Check the rights of who asked, as the services do when ROS calls them for that person. Raises NotMade."""
        account = self.account
        for right in rights.needed(kind, done, properties, account.region, account.cloud.account):
            if not account.ask(self._asked_by, right.action, right.arn, right.circumstances):
                raise NotMade(f"NoPermission: {self._asked_by.name} may not do {right.action} on {right.arn}")

    def _set(self, status: str, reason: str) -> None:
        self.status, self.reason = status, reason
        stack = Planned(self.name, "ALIYUN::ROS::Stack", {}, (), retained=False)
        self._event(stack, self.stack_id, status, reason)

    def _event(self, planned: Planned, physical_id: str, status: str, reason: str = "") -> None:
        at = self.account.cloud.clock.now()
        self.events.append(StackEvent(len(self.events), at, planned.name, planned.type, physical_id, status, reason))


def _require_updatable(kind: str, before: Any, after: Any) -> None:
    """Check that an update changes nothing that ROS does not update. Raises NotMade."""
    if fixed := list(differing(kind, before, after)):
        raise NotMade(f"ResourceUpdateNotAllowed: {', '.join(fixed)} of {kind} can't be updated")
