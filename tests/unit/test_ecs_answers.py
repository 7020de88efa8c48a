"""What the function makes of ECS's answers, well formed or not, over real HTTP with the real SDK."""

from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from answering_server import AnsweringServer
from darabonba.exceptions import UnretryableException
from scripted_ecs import ONE, REGION

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud import ecs as ecs_module
from ecs_reboot.cloud import parallel_calls
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs import USER_AGENT, Ecs
from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused, Unresolved
from ecs_reboot.model import RebootAnswer

KEYS = Credentials(access_key_id="id", access_key_secret="secret", security_token="")


def ecs_at(url: str) -> Ecs:
    return Ecs(KEYS, Deadline(SystemClock(), 30), endpoint=url, network="public", answer_seconds=20)


def reboot(ecs: Ecs, *, dry_run: bool = False) -> RebootAnswer:
    return ecs.reboot(REGION, (ONE,), force=False, dry_run=dry_run, batch_optimization="AllTogether")


@pytest.mark.parametrize("code", ["DRYRUN.SUCCESS", "DryRunOperation"])
def test_a_dry_run_that_would_go_through_comes_back_as_an_error_or_without_rows(
    server: AnsweringServer, code: str
) -> None:
    refusal = {"Code": code, "Message": "it would be done", "RequestId": "r-1"}
    server.says(refusal, 400)
    answer = reboot(ecs_at(server.url), dry_run=True)
    assert (answer.dry_run_code, answer.request_id, answer.instances) == (code, "r-1", ())
    server.says({"RequestId": "r-2"})
    assert reboot(ecs_at(server.url), dry_run=True).dry_run_code == "DRYRUN.SUCCESS"
    # The same words mean nothing where nothing was tried out.
    server.says(refusal, 400)
    with pytest.raises(Refused, match=code):
        reboot(ecs_at(server.url))
    server.says({"Code": "Forbidden.RAM", "Message": "no", "RequestId": "r-3"}, 403)
    with pytest.raises(Refused, match=r"Forbidden\.RAM"):
        reboot(ecs_at(server.url), dry_run=True)


@pytest.mark.parametrize(
    ("call", "lacks"),
    [
        (reboot, "InstanceResponses"),
        (lambda ecs: ecs.stop(REGION, (ONE,)), "InstanceResponses"),
        (lambda ecs: ecs.describe(REGION, (ONE,)), "Instances"),
    ],
    ids=["reboot", "stop", "describe"],
)
def test_an_answer_without_what_was_asked_for_is_no_answer(
    server: AnsweringServer, call: Callable[[Ecs], object], lacks: str
) -> None:
    server.says({"RequestId": "r-1"})
    with pytest.raises(NoAnswer, match=f"the answer r-1 has no {lacks}"):
        call(ecs_at(server.url))


@pytest.mark.parametrize("page", [b"<html>a proxy</html>", b'{"RequestId": "r-', b"[1]"])
def test_what_is_no_json_object_is_a_lost_answer(server: AnsweringServer, page: bytes) -> None:
    server.says(page)
    with pytest.raises(NoAnswer, match=rf"HTTP 200 with {len(page)} bytes that are no JSON object"):
        reboot(ecs_at(server.url))


@pytest.mark.parametrize(
    ("url", "error"),
    [("http://127.0.0.1:9", NotSent), ("http://no-such-host.invalid", Unresolved)],
    ids=["nobody listens", "no such name"],
)
def test_what_never_left_is_told_from_what_may_have_arrived(url: str, error: type[CloudError]) -> None:
    with pytest.raises(error):
        reboot(ecs_at(url))


def test_pages_are_read_to_the_last_and_each_with_the_token_of_the_one_before(server: AnsweringServer) -> None:
    for number, token in ((1, "more"), (2, "")):
        row = {"InstanceId": f"i-{number}", "RegionId": REGION, "Status": "Running"}
        server.says({"RequestId": "r", "Instances": {"Instance": [row]}, "NextToken": token})
    ecs = ecs_at(server.url)
    first = ecs.tag_page(REGION, "app")
    assert first.rest == "more"
    assert ecs.tag_page(REGION, "app", first.rest).rest == ""
    assert ["NextToken=more" in sent.target for sent in server.sent] == [False, True]


def test_other_clients_of_the_sdk_in_this_process_keep_its_own_transport(server: AnsweringServer) -> None:
    server.says({"RequestId": "r-1", "Regions": {"Region": [{"RegionId": REGION}]}})
    client = Client(
        Config(access_key_id="id", access_key_secret="secret", endpoint=server.url.partition("//")[2], protocol="http")
    )
    assert client.describe_regions(models.DescribeRegionsRequest()).body.regions.region[0].region_id == REGION
    theirs = server.sent[0].headers
    assert USER_AGENT not in theirs["user-agent"]
    server.says({"RequestId": "r-2", "TotalCount": 0})
    assert ecs_at(server.url).count(REGION, None) == 0
    server.says(b"<html>")
    with pytest.raises(UnretryableException, match="Failed to parse"):
        client.describe_regions(models.DescribeRegionsRequest())


def test_a_mistake_in_the_code_of_a_question_is_raised_and_no_answer_of_the_cloud() -> None:
    class Broken:
        def call_api(self, *_: Any) -> Any:
            raise KeyError("a mistake")

    asked = [Question(Api("ess", "DescribeScalingInstances"), REGION, {"InstanceId": [ONE]})] * 3
    with pytest.raises(KeyError, match="a mistake"):
        parallel_calls.ask(lambda _: Broken(), ecs_module._error, asked, 1.0)
