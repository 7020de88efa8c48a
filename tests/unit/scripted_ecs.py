"""ECS in memory: what a test says it shows, and what a test says goes wrong, call by call. And a clock that jumps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import Question, TagPage
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, InstanceAnswer, Metric, RebootAnswer, RebootRequest, Selector, Target
from ecs_reboot.policy.facts import Facts, Policy
from ecs_reboot.settings.settings import Settings, load
from localcloud.openapi.quiet_answers import quiet_answer

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=timezone.utc)
REGION = "cn-hangzhou"
ONE, TWO, THREE = "i-bp1one00000001", "i-bp1two00000002", "i-bp1three000003"
#: The service says when to come back; one that does not has its minute (``test_retry``).
THROTTLED = Refused(
    "Any", code="Throttling", message="slow down", status=400, request_id="r-throttled", retry_after_ms=1
)
UNAVAILABLE = Refused("Any", code="ServiceUnavailable", message="later", status=503, request_id="r-503")
INTERNAL = Refused("Any", code="InternalError", message="failed", status=500, request_id="r-500")
FORBIDDEN = Refused("Any", code="Forbidden.RAM", message="no", status=403, request_id="r-403")
LOST = NoAnswer("Any", "timed out")

Step = CloudError | Callable[[], object] | None


class JumpingClock:
    """Time passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.chance = 0.5

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def jitter(self) -> float:
        return self.chance


class ScriptedEcs:
    """``before`` and ``after`` hold, for each call's name, what happens at the next calls of it, before their effect
    and after it: an error is raised, a function is called, None is nothing."""

    def __init__(self, *instances: Instance) -> None:
        self.instances = {instance.instance_id: instance for instance in instances}
        self.before: dict[str, list[Step]] = {}
        self.after: dict[str, list[Step]] = {}
        self.calls: list[str] = []
        self.written: list[tuple[str, str]] = []
        self.removed: list[str] = []
        self.questions: list[Question] = []
        self.answers: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.refusals: dict[str, str] = {}
        self.page, self.most_tagged = 100, 1_000
        self.on_reboot: Callable[[str], None] = lambda instance_id: self.change(instance_id, status="Stopping")

    def change(self, instance_id: str, **fields: Any) -> None:
        self.instances[instance_id] = self.instances[instance_id].model_copy(update=fields)

    def tag(self, instance_id: str, value: str, key: str = ledger.KEY) -> None:
        tags = {**dict(self.instances[instance_id].tags), key: value}
        self.change(instance_id, tags=tuple(tags.items()))

    def entry(self, instance_id: str) -> str:
        return dict(self.instances[instance_id].tags).get(ledger.KEY, "")

    def ask(self, questions: Sequence[Question], _seconds: float) -> list[Mapping[str, Any] | CloudError]:
        """Answer what ``answers`` holds for the action: a body, an error, or a list of them, one a call."""
        answers: list[Mapping[str, Any] | CloudError] = []
        for question in questions:
            self.questions.append(question)
            said = self.answers.get(question.api.action)
            if isinstance(said, list):
                said = said.pop(0) if said else None
            answers.append(quiet_answer(question.api.action) if said is None else said)
        return answers

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        self._step("describe", self.before)
        found = tuple(
            instance
            for instance in self.instances.values()
            if instance.instance_id in instance_ids and instance.region_id == region_id
        )
        self._step("describe", self.after)
        return found

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        self._step("select", self.before)
        yield tuple(instance for instance in self.instances.values() if set(selector.tags) <= set(instance.tags))

    def count(self, _region_id: str, tag: tuple[str, str] | None) -> int:
        self._step("count", self.before)
        return sum(tag is None or tag in instance.tags for instance in self.instances.values())

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:
        """Show ``page`` instances at a time, and by a tag no more than ``most_tagged``."""
        self._step("entries", self.before)
        here = [instance for instance in self.instances.values() if instance.region_id == region_id]
        tagged = [instance for instance in here if key in dict(instance.tags)][: self.most_tagged]
        first = int(start or 0)
        shown = (here if whole else tagged)[first : first + self.page]
        more = first + self.page < len(here if whole else tagged)
        values = tuple(
            (instance.instance_id, dict(instance.tags)[key]) for instance in shown if key in dict(instance.tags)
        )
        return TagPage(values, str(first + self.page) if more else "")

    def set_tag(self, _region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        self._step("remember", self.before)
        assert key in (ledger.KEY, ledger.OBSERVED_KEY)
        for instance_id in instance_ids:
            self.written.append((instance_id, value))
            self.tag(instance_id, value, key)
        self._step("remember", self.after)

    def remove_tag(self, _region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        self._step("forget", self.before)
        assert len(instance_ids) <= ledger.MOST_RESOURCES
        for instance_id in instance_ids:
            self.removed.append(instance_id)
            tags = tuple((name, value) for name, value in self.instances[instance_id].tags if name != key)
            self.instances[instance_id] = self.instances[instance_id].model_copy(update={"tags": tags})
        self._step("forget", self.after)

    def reboot(
        self, _region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        self.asked.append(
            {"ids": instance_ids, "force": force, "dry_run": dry_run, "batch_optimization": batch_optimization}
        )
        self._step("reboot", self.before)
        if dry_run:
            return RebootAnswer(request_id="r-dry", instances=(), dry_run_code="DRYRUN.SUCCESS")
        rows = []
        for instance_id in instance_ids:
            code = self.refusals.get(instance_id, "200")
            if code == "200":
                self.on_reboot(instance_id)
            rows.append(
                InstanceAnswer(
                    instance_id=instance_id, code=code, message="", previous_status="Running", current_status="Stopping"
                )
            )
        self._step("reboot", self.after)
        return RebootAnswer(request_id="r-1", instances=tuple(rows))

    def stop(self, _region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        return self._power("stop", instance_ids, "Stopped")

    def start(self, _region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        return self._power("start", instance_ids, "Starting")

    def _power(self, name: str, instance_ids: tuple[str, ...], status: str) -> RebootAnswer:
        """Answer with the instance's refusal of this call (``stop:i-...``), else let it be in the status at once."""
        self._step(name, self.before)
        rows = []
        for instance_id in instance_ids:
            before, code = self.instances[instance_id].status, self.refusals.get(f"{name}:{instance_id}", "200")
            if code == "200":
                self.change(instance_id, status=status)
            now = self.instances[instance_id].status
            rows.append(
                InstanceAnswer(
                    instance_id=instance_id, code=code, message="", previous_status=before, current_status=now
                )
            )
        self._step(name, self.after)
        return RebootAnswer(request_id="r-1", instances=tuple(rows))

    def _step(self, name: str, steps: dict[str, list[Step]]) -> None:
        if steps is self.before:
            self.calls.append(name)
        step = steps[name].pop(0) if steps.get(name) else None
        if isinstance(step, CloudError):
            raise step
        if step is not None:
            step()


def instance(instance_id: str = ONE, **fields: Any) -> Instance:
    tags = fields.pop("tags", {"ecs-reboot": "enabled"})
    return Instance.model_validate(
        {
            "instance_id": instance_id,
            "region_id": REGION,
            "status": "Running",
            "tags": tuple(tags.items()),
            "start_time": NOW - timedelta(days=3),
            "read_at": NOW,
            **fields,
        }
    )


def settings(**environment: str) -> Settings:
    return load({"MAX_REBOOTS": "10", **environment})


def policy(**environment: str) -> Policy:
    return settings(**environment).policy


def request(*ids: str, **fields: Any) -> RebootRequest:
    targets = tuple(Target(instance_id=instance_id, region_id=REGION) for instance_id in ids or (ONE,))
    return RebootRequest.model_validate({"trigger": "manual", "evidence": "a test asks", "targets": targets, **fields})


METRIC = Metric(
    namespace="acs_ecs_dashboard",
    name="CPUUtilization",
    dimensions=(("instanceId", ONE),),
    statistic="Average",
    operator=">=",
    threshold=95,
)
ALARM = request(trigger="cms_threshold", metric=METRIC, event_time=NOW - timedelta(seconds=60))


def facts(shown: Instance | None = None, asked: RebootRequest | None = None, **fields: Any) -> Facts:
    shown = shown or instance()
    environment = fields.pop("environment", {})
    return Facts(
        request=asked or request(shown.instance_id),
        target=Target(instance_id=shown.instance_id, region_id=REGION),
        instance=fields.pop("instance", shown),
        policy=policy(**environment),
        now=fields.pop("now", NOW),
        **fields,
    )


def deadline(seconds: float = 50.0, clock: JumpingClock | None = None) -> Deadline:
    return Deadline(clock or JumpingClock(), seconds)


def entry(state: str = "claimed", *, ago: float = 0.0, claim: str = "0badcafe", **fields: Any) -> str:
    """Write an entry as another run did, ``ago`` seconds ago."""
    return str(
        ledger.Entry.model_validate(
            {"at": NOW - timedelta(seconds=ago), "state": state, "force": False, "claim": claim, **fields}
        )
    )
