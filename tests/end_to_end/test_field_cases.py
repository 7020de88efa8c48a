"""Events as people really send them: each case of the table does on the default fleet what its row says."""

import csv
import json
import shlex
from pathlib import Path

import pytest
from staging import Staged

WEB_02 = "i-bp1z9y8x7w6v5u4t3s2r"
FIELD = Path(__file__).parent.parent / "samples" / "field"

with (FIELD / "cases.tsv").open(encoding="utf-8", newline="") as table:
    CASES = list(csv.DictReader(table, delimiter="\t"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_case_from_the_field_does_what_its_row_says(stage: Staged, case: dict[str, str]):
    settings = dict(word.split("=", 1) for word in shlex.split(case["settings"]))
    here = stage(None, **settings)
    if "WEBHOOK_TOKEN" in settings:
        here.send({"instance_ids": [WEB_02], "dry_run": True})  # HTTP has seconds only: what must be loaded is loaded
    answer = here.send((FIELD / case["file"]).read_bytes())
    body = json.loads(answer["body"]) if "statusCode" in answer else answer
    assert body["status"] == case["status"]
    assert sorted(here.rebooted()) == [word for word in case["reboots"].split() if word != "-"]


def test_every_case_is_in_the_table():
    assert {path.name for path in FIELD.iterdir()} - {"cases.tsv"} == {case["file"] for case in CASES}
