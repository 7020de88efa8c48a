"""The Node client of Tablestore, unchanged, against the process that ``make serve`` runs.

It shares nothing with the Python client: its protocol buffers, PlainBuffer and signer are its own.
"""

import pytest
from node_clients import NodeProgram
from serving import Served


@pytest.mark.client(
    "tablestore",
    "ots:ListTable",
    "ots:DescribeTable",
    "ots:GetRow",
    "ots:PutRow",
    "ots:UpdateRow",
    "ots:BatchWriteRow",
    "ots:BatchGetRow",
    "ots:GetRange",
)
def test_the_node_client_writes_on_conditions_and_reads_back(node_program: NodeProgram, served: Served) -> None:
    told = node_program("tablestore.js", served.url, served.key, served.secret, "", "ecs-rb")
    assert told == {
        "tables": ["ledger", "other"],
        "key": [["region", 2], ["row", 2]],
        "first": None,
        "again": [403, "OTSConditionCheckFail"],
        "swapped": None,
        "stale": [403, "OTSConditionCheckFail"],
        "row": {"v": "2", "state": "asked é"},
        "updated": {"v": "3"},
        "batch": [[True, None], [False, "OTSConditionCheckFail"], [True, None]],
        "read": [[True, {"v": "3"}], [True, None]],
        "listed": ["i#1"],
        "next": ["cn-hangzhou", "i#2"],
        "noTable": [404, "OTSObjectNotExist"],
        "forged": [403, "OTSAuthFailed"],
    }
    calls = served.audit(service="ots", action="PutRow")
    assert [(call["code"], call["effect"], call["parameters"]["keys"][0]["row"]) for call in calls] == [
        ("", True, "i#1"), ("OTSConditionCheckFail", False, "i#1"),
        ("", True, "i#1"), ("OTSConditionCheckFail", False, "i#1"),
    ]  # fmt: skip
