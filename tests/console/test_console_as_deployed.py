"""The console of a server that was started with DEPLOYED=1: its events run as the template has the function run."""

import json
from collections.abc import Callable

from console_client import WEB_01, Client

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.commands.deployed import cloud_of
from localcloud.commands.project_function import project_function
from localcloud.commands.rendered_template import deployment
from localcloud.functioncompute.own_function import OwnFunction
from localcloud.server.server import Running

SET = {"VERIFY_SECONDS": "0"}


def test_an_event_runs_with_the_template_s_settings_and_role_and_what_was_set_by_hand(
    serve: Callable[[Cloud], Running],
) -> None:
    spec = fleet.default()
    made = deployment(spec.account, {"Cpu": "1"})
    where = serve(cloud_of(spec, made))
    function = project_function(where.cloud, where.url, SET, deployed=made)
    where.services.own = OwnFunction(function, SET, made.role_name)
    client = Client(where)
    request = {"instance_ids": [WEB_01], "region_id": "cn-hangzhou", "reason": "a test"}
    story = client.finished(client.send(json.dumps(request)))
    assert [record["code"] for record in story["records"] if record["record"] == "result"] == ["accepted"], story
    calls = [entry for entry in where.cloud.audit.entries() if entry["kind"] == "api" and entry["service"] != "chat"]
    assert {call["identity"] for call in calls} == {f"role:{made.role_name}/{story['number']}"}
    assert story["calls_count"] == len(calls)
    tables = {call["parameters"]["instance"] for call in calls if call["service"] == "ots"}
    assert tables == {made.environment["TABLESTORE_INSTANCE"]}
    assert where.cloud.audit.calls("PutRow", service="ots")
    assert not where.cloud.audit.calls("TagResources")
