"""The calls to ECS that this function makes, as those who make them see them; ``ecs.Ecs`` makes them for real.

All raise the errors of ``errors``. The function's permissions follow from this list (docs/operate/permissions.md).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.model import Instance, RebootAnswer, Selector
from ecs_reboot.named_tuple import NamedTuple

#: DescribeInstances by a tag shows no more; whoever sees as many has to take them for a part.
MOST_TAGGED = 1_000
#: DescribeInstances and RebootInstances take at most 100 instances a call.
BATCH = 100

T = TypeVar("T")


def batches(things: Iterable[T], most: int = BATCH) -> Iterator[tuple[T, ...]]:
    """Cut into as many as one call takes."""
    listed = tuple(things)
    for start in range(0, len(listed), most):
        yield listed[start : start + most]


class Api(NamedTuple):
    """One call of another product, or a call of ECS that changes no instance: product and action (RPC style)."""

    product: Literal["ecs", "ess", "cms"]
    action: str


class Question(NamedTuple):
    """One call with its parameters, before they are flattened: a list becomes ``Name.1``, ``Name.2`` ..."""

    api: Api
    region_id: str
    parameters: Mapping[str, Any]


class TagPage(NamedTuple):
    """Instances with a tag, each with its value. ``rest``: where the next page begins; '' after the last."""

    values: tuple[tuple[str, str], ...]
    rest: str = ""


class EcsApi(Protocol):
    """DescribeInstances, tags, RebootInstances, StopInstances and StartInstances, and questions to other APIs."""

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:
        """Return the answer to each question, or why there is none; all go out together, each may take ``seconds``."""

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Return the facts of those of at most 100 instances that exist and that the role may see."""

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield page by page the instances that meet the selector."""

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Return how many instances of the region have the tag, or, without one, how many there are."""

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:
        """Return a page of the instances of the region that have the tag, from ``start`` on.

        ECS finds no more than MOST_TAGGED by a tag; with ``whole`` the page is one of all the region's instances.
        """

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        """Write one tag on at most 50 instances; it takes the place of the value before."""

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Take one tag from at most 50 instances, from all of them or from none; who has no such tag stays as it is."""

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Ask for a reboot of at most 100 instances; after NoAnswer they may be rebooting."""

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Ask for a forced stop (power off) of at most 100 instances, each judged by itself; they are charged on."""

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Ask for a start of at most 100 Stopped instances, each judged by itself."""
