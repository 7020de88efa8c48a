"""Logs are read to their end: an answer in part is never taken for a quiet night."""

import pytest
from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.models import Config as CredentialConfig
from aliyun.log import LogException
from answering_server import AnsweringServer, answering

from stack.clients import Clients
from stack.logstores import LogStores

PARTLY = {"meta": {"progress": "Incomplete", "count": 0}, "data": []}
WHOLE = {"meta": {"progress": "Complete", "count": 1}, "data": [{"__time__": "1", "code": "accepted"}]}


def stores(server: AnsweringServer) -> LogStores:
    keys = CredentialConfig(type="access_key", access_key_id="key", access_key_secret="secret")
    return LogStores(Clients("cn-hangzhou", server.url, CredentialChain(keys)))


def test_a_search_that_does_not_end_is_an_error_and_no_empty_answer() -> None:
    with answering() as server:
        server.says(PARTLY)
        server.says(WHOLE)
        assert [log["code"] for log in stores(server).read("project", "records", 0, 60)] == ["accepted"]
        for _ in range(5):  # as often as the client asks by itself
            server.says(PARTLY)
        with pytest.raises(LogException, match="MINUTES or QUERY"):
            list(stores(server).read("project", "records", 0, 60))
