"""Trigger configurations against the keys that Function Compute's API documents (SDK ``alibabacloud_fc20230330``).

ROS takes ``TriggerConfig`` as any map, so a misspelt key would be found by nobody before the first lost alarm.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from cloud_languages import cron, event_pattern
from cloud_languages.finding import Finding, nearest
from stack.checks import timer_request

_METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE")
_RETRY = ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY")
_PAYLOAD_BYTES = 128 * 1024

Check = Callable[[Any, str], Iterator[Finding]]


def _flag(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, bool):
        yield Finding(path, value, "say true or false, without quotation marks")


def _text(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield Finding(path, value, "give a text")


def _one_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> Iterator[Finding]:
        if value not in allowed:
            yield Finding(path, value, f"give one of {', '.join(allowed)}{nearest(str(value), allowed)}")

    return check


def _many_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> Iterator[Finding]:
        if not isinstance(value, list) or not value:
            yield Finding(path, value, f"give a list out of {', '.join(allowed)}")
            return
        for number, element in enumerate(value):
            yield from _one_of(*allowed)(element, f"{path}[{number}]")

    return check


def _map_of(keys: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> Check:
    def check(value: Any, path: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield Finding(path, value, f"give a mapping with {', '.join(keys)}")
            return
        for key, item in value.items():
            if key not in keys:
                yield Finding(f"{path}.{key}", item, f"there is no such key{nearest(key, keys)}")
            else:
                yield from keys[key](item, f"{path}.{key}")
        for key in required:
            if key not in value:
                yield Finding(path, value, f"the key {key} is needed; add it")

    return check


def _anything(_value: Any, _path: str) -> Iterator[Finding]:
    yield from ()


def _cron(value: Any, path: str) -> Iterator[Finding]:
    try:
        schedule = cron.parse(str(value))
    except ValueError as error:
        yield Finding(path, value, str(error))
        return
    if not schedule.every and schedule.next_after(_SOME_DAY) is None:
        yield Finding(path, value, "it never goes off: there is no such day")


def _payload(value: Any, path: str) -> Iterator[Finding]:
    yield from _text(value, path)
    if len(str(value).encode()) > _PAYLOAD_BYTES:
        yield Finding(path, value, f"it is longer than {_PAYLOAD_BYTES} bytes")
    elif isinstance(value, str):
        yield from (Finding(path, value, why) for why in timer_request.mistakes(value))


def _pattern(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield Finding(path, value, "Function Compute takes the pattern as a JSON text, not as a mapping")
        return
    try:
        yield from event_pattern.mistakes(event_pattern.parse(value), path)
    except ValueError as error:
        yield Finding(path, value, str(error))


def _source(value: Any, path: str) -> Iterator[Finding]:
    yield from _SOURCE(value, path)
    kind = value.get("eventSourceType", _BUS) if isinstance(value, Mapping) else _BUS
    if kind != _BUS and "eventSourceParameters" not in value:
        remedy = f"it names no queue of {kind} (eventSourceParameters); events of cloud services come from {_BUS}"
        yield Finding(f"{path}.eventSourceType", kind, remedy)


#: The source of what is on the bus `default`.
_BUS = "Default"
_SOURCE = _map_of(
    {
        "eventSourceType": _one_of(_BUS, "MNS", "RocketMQ", "RabbitMQ", "Kafka", "MQTT", "DTS"),
        "eventSourceParameters": _anything,
    },
    required=("eventSourceType",),
)
_DELIVERY = _map_of({"eventSchema": _one_of("CloudEvents", "RawData"), "concurrency": _anything})
_CONFIGS: Mapping[str, Check] = {
    "timer": _map_of(
        {"cronExpression": _cron, "enable": _flag, "payload": _payload}, required=("cronExpression", "enable")
    ),
    "http": _map_of(
        {
            "authType": _one_of("anonymous", "function", "jwt"),
            "authConfig": _text,
            "methods": _many_of(*_METHODS),
            "disableURLInternet": _flag,
            "corsConfig": _anything,
        },
        required=("authType", "methods"),
    ),
    "mns_topic": _map_of(
        {"notifyContentFormat": _one_of("STREAM", "JSON"), "notifyStrategy": _one_of(*_RETRY), "filterTag": _text},
        required=("notifyContentFormat", "notifyStrategy"),
    ),
    "eventbridge": _map_of(
        {
            "triggerEnable": _flag,
            "asyncInvocationType": _flag,
            "eventRuleFilterPattern": _pattern,
            "eventSourceConfig": _source,
            "eventSinkConfig": _map_of({"deliveryOption": _DELIVERY}),
            "runOptions": _map_of(
                {
                    "mode": _one_of("event-driven", "event-streaming"),
                    "errorsTolerance": _one_of("NONE", "ALL"),
                    "retryStrategy": _map_of({"PushRetryStrategy": _one_of(*_RETRY)}),
                    "deadLetterQueue": _map_of({"Arn": _text}, required=("Arn",)),
                    "batchWindow": _map_of({"CountBasedWindow": _anything, "TimeBasedWindow": _anything}),
                }
            ),
        },
        required=("triggerEnable", "eventRuleFilterPattern", "eventSourceConfig"),
    ),
}
#: What a trigger of this type needs beside its configuration.
_BESIDE: Mapping[str, tuple[str, ...]] = {"mns_topic": ("SourceArn", "InvocationRole")}
_SOURCE_ARN = {"mns_topic": re.compile(r"acs:mns:[^:]+:[^:]+:/topics/[^/]+")}


def check(properties: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Yield what is wrong with one trigger whose functions are evaluated."""
    kind = str(properties.get("TriggerType"))
    if kind not in _CONFIGS:
        remedy = f"give one of {', '.join(_CONFIGS)}{nearest(kind, _CONFIGS)}"
        yield Finding(f"{path}.TriggerType", kind, remedy)
        return
    yield from _CONFIGS[kind](properties.get("TriggerConfig"), f"{path}.TriggerConfig")
    for needed in _BESIDE.get(kind, ()):
        if not properties.get(needed):
            yield Finding(path, properties.get(needed), f"a trigger of type {kind} needs {needed}; add it")
    shape = _SOURCE_ARN.get(kind)
    source = properties.get("SourceArn")
    if shape and source and not shape.fullmatch(str(source)):
        yield Finding(f"{path}.SourceArn", source, "write acs:mns:REGION:ACCOUNT:/topics/NAME")


_SOME_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)
