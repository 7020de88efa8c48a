"""A filter by tag or resource group shows 1,000 instances at most: what the function makes of a larger region."""

from collections.abc import Iterator

import pytest

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs import FILTERED_MOST, Ecs
from ecs_reboot.model import Selector
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.server.server import Running, running

HZ = "cn-hangzhou"
TAG = ("app", "web")


def spec(number: int) -> InstanceSpec:
    """Return an instance: of 1,210 the last ten have not the tag, the last thousand and five are in a group."""
    return InstanceSpec(
        instance_id=f"i-many{number:08d}",
        instance_name=f"{'odd' if number % 2 else 'even'}-{number}",
        tags={"app": "web" if number < 1200 else "db"},
        resource_group_id="rg-most" if number >= 205 else "",
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(Cloud.from_fleet(Fleet(instances=tuple(spec(number) for number in range(1210))))) as where:
        yield where


@pytest.fixture
def ecs(server: Running) -> Ecs:
    root = server.cloud.credentials.root
    keys = Credentials(access_key_id=root.access_key_id, access_key_secret=root.access_key_secret, security_token="")
    return Ecs(keys, Deadline(SystemClock(), 600), endpoint=server.url, network="public", answer_seconds=60)


@pytest.mark.parametrize(
    ("selector", "number"),
    [
        (Selector(region_id=HZ, tags=(TAG,)), 1200),
        (Selector(region_id=HZ, resource_group_id="rg-most"), 1005),
        (Selector(region_id=HZ, tags=(TAG,), resource_group_id="rg-most"), 995),
        (Selector(region_id=HZ, tags=(TAG,), name="odd-*"), 600),
        (Selector(region_id=HZ, name="even-*"), 605),
    ],
)
def test_a_selector_finds_every_instance_once(ecs: Ecs, selector: Selector, number: int) -> None:
    found = [instance.instance_id for page in ecs.select(selector) for instance in page]
    assert (len(found), len(set(found))) == (number, number)


@pytest.mark.parametrize(("tag", "number"), [(TAG, 1200), (("app", "db"), 10), (None, 1210)])
def test_a_region_is_counted_beyond_what_a_filter_shows(ecs: Ecs, tag: tuple[str, str] | None, number: int) -> None:
    assert ecs.count(HZ, tag) == number


def test_the_local_cloud_shows_as_many_as_ecs_does(ecs: Ecs) -> None:
    shown = [len(page) for page in ecs._pages(Selector(region_id=HZ, tags=(TAG,)))]
    assert sum(shown) == FILTERED_MOST
