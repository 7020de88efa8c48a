"""The server that cold starts are measured against: each run must find what the one before found."""

from bench.cold_start.stub import Cloud

LEDGER = {"Tag.1.Key": "ecs-reboot.ledger", "Tag.1.Value": "v1 ..."}


def tags(cloud: Cloud) -> list[str]:
    described = cloud.answer("DescribeInstances", {})
    return [row["TagKey"] for row in described["Instances"]["Instance"][0]["Tags"]["Tag"]]  # type: ignore[index]


def test_a_claim_is_seen_until_the_reboot_and_the_next_run_finds_none() -> None:
    cloud = Cloud()
    for _ in range(2):
        assert tags(cloud) == ["ecs-reboot"]
        cloud.answer("TagResources", LEDGER)
        assert tags(cloud) == ["ecs-reboot", "ecs-reboot.ledger"]
        cloud.answer("RebootInstances", {})
        cloud.answer("TagResources", LEDGER)  # what came of it
