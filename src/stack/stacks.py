"""One stack of ROS, through the official client: found, created, changed, followed to its end, deleted."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from alibabacloud_ros20190910 import models
from Tea.exceptions import TeaException

from cloud_languages.template.document import Document, as_json
from stack.clients import Clients

TIMEOUT_MINUTES = 30
POLL_SECONDS = 3.0
_PAGE, _EVENTS = 50, 50
DELETED = "DELETE_COMPLETE"
#: Looks at a stack without any news: after some it is said that it still goes on, after the most nobody looks further.
LOOKS_TO_SAY_SO, MOST_LOOKS = 20, 600


#: ROS answers so where another call has begun to change the stack, or has made it, since it was looked at.
_UNDER_WAY = ("ActionInProgress", "StackExists")


class StackFailed(RuntimeError):
    """The stack came to a bad end, or to none; the text holds the first failure and its reason."""


class FoundStack(NamedTuple):
    """A stack as it stands."""

    stack_id: str
    name: str
    status: str
    reason: str
    outputs: Mapping[str, Any]
    parameters: Mapping[str, str]

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def usable(self) -> bool:
        """Whether the stack stands and can be updated; a first creation that failed leaves only a shell."""
        return not self.busy and not self.status.startswith(("CREATE_FAILED", "CREATE_ROLLBACK", "DELETE"))


class StackChange(NamedTuple):
    """What an update or creation would do to one resource."""

    action: str
    name: str
    type: str


class Stacks:
    """The stacks of one region. ``say`` gets one line for each step that is followed."""

    def __init__(
        self,
        clients: Clients,
        say: Callable[[str], None],
        *,
        poll_seconds: float = POLL_SECONDS,
        most_looks: int = MOST_LOOKS,
    ) -> None:
        self._clients, self._say = clients, say
        self._poll_seconds, self._most_looks = poll_seconds, most_looks

    def find(self, name: str) -> FoundStack | None:
        """Return the stack of a name, or None; one that was deleted is none."""
        live = [stack for stack in self._listed(name) if stack.stack_name == name and stack.status != DELETED]
        return self.get(live[0].stack_id) if live else None

    def deleted(self, name: str) -> FoundStack | None:
        """Return the newest stack of a name that was deleted, as far as ROS still tells of it; or None."""
        gone = [stack for stack in self._listed(name) if stack.stack_name == name and stack.status == DELETED]
        return self.get(gone[0].stack_id) if gone else None

    def names(self) -> list[str]:
        """Return the names of the region's stacks, whoever made them, but for those that were deleted."""
        return [str(listed.stack_name) for listed in self._listed() if listed.status != DELETED]

    def standing(self) -> Iterator[FoundStack]:
        """Yield the region's stacks, whoever made them, but for those that hold nothing.

        Those are the deleted ones, and a creation that failed and was taken back. Whether all of it was, its resources
        say: what can't be told apart from a resource that stands counts as one.
        """
        for listed in self._listed():
            if listed.status != DELETED:
                found = self.get(listed.stack_id)
                if found.usable or found.busy or self._holds(found):
                    yield found

    def _holds(self, found: FoundStack) -> bool:
        return any(physical_id and status != DELETED for _, _, physical_id, status in self.resources(found))

    def get(self, stack_id: str) -> FoundStack:
        """Return a stack by its ID."""
        body = self._clients.ros.get_stack(
            models.GetStackRequest(region_id=self._clients.region, stack_id=stack_id)
        ).body
        return FoundStack(
            stack_id,
            body.stack_name or "",
            body.status or "",
            body.status_reason or "",
            {output["OutputKey"]: output.get("OutputValue") for output in body.outputs or []},
            {parameter.parameter_key: parameter.parameter_value or "" for parameter in body.parameters or []},
        )

    def validate(self, document: Document) -> None:
        """Have ROS look at a template. Raises TeaException with its reason."""
        request = models.ValidateTemplateRequest(region_id=self._clients.region, template_body=as_json(document))
        self._clients.ros.validate_template(request)

    def preview(
        self, name: str, found: FoundStack | None, document: Document, given: Mapping[str, str]
    ) -> list[StackChange]:
        """Return what would change."""
        request = models.PreviewStackRequest(
            region_id=self._clients.region,
            stack_name=None if found else name,
            stack_id=found.stack_id if found else None,
            template_body=as_json(document),
            use_previous_parameters=True if found else None,
            parameters=[
                models.PreviewStackRequestParameters(parameter_key=key, parameter_value=value)
                for key, value in given.items()
            ],
        )
        stack = self._clients.ros.preview_stack(request).body.stack
        return [
            StackChange(resource.action or "Add", resource.logical_resource_id or "", resource.resource_type or "")
            for resource in (stack.resources if stack else None) or []
        ]

    def create(self, name: str, document: Document, given: Mapping[str, str]) -> str:
        """Begin to create; return the stack's ID. What fails is rolled back, except what is to be retained."""
        request = models.CreateStackRequest(
            region_id=self._clients.region,
            stack_name=name,
            template_body=as_json(document),
            timeout_in_minutes=TIMEOUT_MINUTES,
            disable_rollback=False,
            client_token=str(uuid.uuid4()),
            parameters=[
                models.CreateStackRequestParameters(parameter_key=key, parameter_value=value)
                for key, value in given.items()
            ],
        )
        with _alone(name):
            return str(self._clients.ros.create_stack(request).body.stack_id)

    def update(self, found: FoundStack, document: Document, given: Mapping[str, str]) -> bool:
        """Begin to update, with the parameters of before where no others are given; False if nothing would change."""
        request = models.UpdateStackRequest(
            region_id=self._clients.region,
            stack_id=found.stack_id,
            template_body=as_json(document),
            timeout_in_minutes=TIMEOUT_MINUTES,
            disable_rollback=False,
            use_previous_parameters=True,
            client_token=str(uuid.uuid4()),
            parameters=[
                models.UpdateStackRequestParameters(parameter_key=key, parameter_value=value)
                for key, value in given.items()
            ],
        )
        try:
            with _alone(found.name):
                self._clients.ros.update_stack(request)
        except TeaException as error:
            if error.code == "NotSupported" and "completely same" in str(error.message):
                return False
            raise
        return True

    def delete(self, found: FoundStack) -> None:
        """Begin to delete. What the template retains stays."""
        request = models.DeleteStackRequest(region_id=self._clients.region, stack_id=found.stack_id)
        with _alone(found.name):
            self._clients.ros.delete_stack(request)

    def resources(self, found: FoundStack) -> Iterator[tuple[str, str, str, str]]:
        """Yield logical name, type, physical ID and status of what the stack has."""
        request = models.ListStackResourcesRequest(region_id=self._clients.region, stack_id=found.stack_id)
        for resource in self._clients.ros.list_stack_resources(request).body.resources or []:
            yield (
                resource.logical_resource_id or "",
                resource.resource_type or "",
                resource.physical_resource_id or "",
                resource.status,
            )

    def template(self, found: FoundStack) -> str:
        """Return the template that the stack was made from."""
        request = models.GetTemplateRequest(region_id=self._clients.region, stack_id=found.stack_id)
        return str(self._clients.ros.get_template(request).body.template_body)

    def newest_event(self, stack_id: str) -> str:
        """Return the ID of the newest event: a mark from which to follow."""
        events = self._events(stack_id, 1)
        return str(events[0].event_id) if events else ""

    def follow(self, stack_id: str, after: str = "") -> FoundStack:
        """Print each event after ``after`` until the stack is at rest; return the stack.

        Raises StackFailed for a bad end, and for a stack that says nothing more for ``most_looks`` looks.
        """
        told, first_failure, looks = {after}, "", 0
        while True:
            found = self.get(stack_id)
            news = self._new_events(stack_id, told)
            looks = 0 if news else looks + 1
            for event in news:
                told.add(event.event_id)
                reason = f": {event.status_reason}" if event.status_reason else ""
                self._say(f"{event.status:24} {event.logical_resource_id} ({event.resource_type}){reason}")
                failed = str(event.status).endswith("FAILED") and event.resource_type != "ALIYUN::ROS::Stack"
                if failed and not first_failure:
                    first_failure = f"{event.logical_resource_id}: {event.status_reason}"
            if not found.busy:
                break
            if looks == self._most_looks:
                raise StackFailed(
                    f"the stack {found.name} is {found.status} and nothing has happened for {self._waited(looks)}: "
                    "gave up looking. What is under way goes on by itself; the same command again takes it up"
                )
            if looks and looks % LOOKS_TO_SAY_SO == 0 and self._poll_seconds:
                self._say(f"{found.status:24} {found.name}: nothing new for {self._waited(looks)}, still looking")
            time.sleep(self._poll_seconds)
        if found.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", DELETED):
            return found
        raise StackFailed(f"the stack {found.name} is {found.status}: {first_failure or found.reason}")

    def _waited(self, looks: int) -> str:
        return f"{looks * self._poll_seconds:.0f} s" if self._poll_seconds else f"{looks} looks"

    def _new_events(self, stack_id: str, told: set[str]) -> list[Any]:
        """Return the events that were not told yet, oldest first."""
        new: list[Any] = []
        for page in range(1, 100):
            events = self._events(stack_id, _EVENTS, page)
            known = [number for number, event in enumerate(events) if event.event_id in told]
            new += events[: known[0]] if known else events
            if known or len(events) < _EVENTS:
                break
        return new[::-1]

    def _listed(self, name: str = "") -> Iterator[Any]:
        """Yield all stacks, or those of a name: newest first."""
        seen = 0
        for page in range(1, 100):
            request = models.ListStacksRequest(
                region_id=self._clients.region,
                stack_name=[name] if name else None,
                page_size=_PAGE,
                page_number=page,
            )
            body = self._clients.ros.list_stacks(request).body
            yield from body.stacks or []
            seen += len(body.stacks or [])
            if not body.stacks or seen >= (body.total_count or 0):
                return

    def _events(self, stack_id: str, size: int, page: int = 1) -> list[Any]:
        request = models.ListStackEventsRequest(
            region_id=self._clients.region, stack_id=stack_id, page_size=size, page_number=page
        )
        return list(self._clients.ros.list_stack_events(request).body.events or [])


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Begin to change the stack. Raises StackFailed where something else is under way with it."""
    try:
        yield
    except TeaException as error:
        if error.code in _UNDER_WAY:
            raise StackFailed(
                f"another deployment or removal of the stack {name} is under way ({error.code}): run the same command "
                "again to follow it"
            ) from error
        raise
