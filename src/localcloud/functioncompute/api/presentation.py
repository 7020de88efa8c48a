"""Functions and their settings in the fields of the API."""

from typing import Any

from localcloud.account.audit import utc_text
from localcloud.functioncompute.api.functions import Registered

Document = dict[str, Any]


def function_document(entry: Registered, arn: str) -> Document:
    """Return a function as GetFunction and ListFunctions show it; of its variables, none is a secret of the account."""
    function = entry.function
    moment = utc_text(entry.registered_at)
    document: Document = {
        "functionName": function.name,
        "functionArn": arn,
        "functionId": arn.rpartition("/")[2],
        "description": "",
        "runtime": function.runtime,
        "handler": function.handler,
        "timeout": function.timeout,
        "memorySize": function.memory_mb,
        "cpu": 0.35,
        "diskSize": 512,
        "instanceConcurrency": 1,
        "internetAccess": True,
        "environmentVariables": dict(function.environment),
        "createdTime": moment,
        "lastModifiedTime": moment,
        "state": "Active",
        "lastUpdateStatus": "Successful",
        "logConfig": {
            "project": function.log_project,
            "logstore": function.log_store,
            "enableRequestMetrics": True,
            "enableInstanceMetrics": False,
            "logBeginRule": "None",
        },
    }
    if function.initializer:
        document["instanceLifecycleConfig"] = {
            "initializer": {"handler": function.initializer, "timeout": function.initializer_timeout}
        }
    return document


def async_document(entry: Registered, arn: str) -> Document:
    """Return the configuration of asynchronous invocation, which is there."""
    assert entry.async_config is not None
    moment = utc_text(entry.registered_at)
    return {
        **entry.async_config.model_dump(by_alias=True, exclude_none=True),
        "functionArn": arn,
        "createdTime": moment,
        "lastModifiedTime": moment,
    }
