"""What the fuzzer kept, and the largest inputs: the promises hold, and memory stays bounded."""

import json
import tracemalloc
from pathlib import Path

import pytest
from large_events import ID, LARGE, MIB
from promises import NOW, RULES, Broken, check

from ecs_reboot.events import read
from ecs_reboot.model import ParsedEvent, RebootRequest, Target

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
ALARM = {"alertState": "ALERT", "namespace": "acs_ecs"}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_promises_hold_for_what_the_fuzzer_kept(path: Path) -> None:
    check(path.read_bytes(), read)


@pytest.mark.parametrize("name", LARGE)
def test_a_mebibyte_takes_no_more_than_50_mebibytes(name: str) -> None:
    event = LARGE[name].encode()
    assert len(event) <= MIB
    read(b'{"instance_ids": []}', RULES, NOW)  # what is loaded once does not count
    tracemalloc.start()
    check(event, read)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50 * MIB


def test_dimensions_with_too_many_names_are_refused_and_a_thousand_are_read() -> None:
    def rejections(names: int) -> list[str]:
        dimensions = {"instanceId": ID, "userId": "1", **{f"k{number}": "" for number in range(names - 2)}}
        event = {**ALARM, "regionId": "cn-hangzhou", "dimensions": dimensions, "metricName": "cpu"}
        return [rejected.code for rejected in read(json.dumps(event).encode(), RULES, NOW).rejected]

    assert (rejections(1000), rejections(1001)) == ([], ["too_large"])


@pytest.mark.parametrize(
    ("instance_id", "trigger", "event"),
    [(ID, "sls", b"{}"), ("i-1", "manual", b'"i-1"'), (ID, "sls", f'"{ID}"'.encode())],
)
def test_a_broken_promise_is_noticed(instance_id: str, trigger: str, event: bytes) -> None:
    target = Target(instance_id=instance_id, region_id="cn-hangzhou")
    wrong = ParsedEvent(trigger=trigger, requests=(RebootRequest(trigger=trigger, evidence="", targets=(target,)),))
    with pytest.raises(Broken):
        check(event, lambda *_: wrong)
