"""Events of up to 1 MiB that are made to cost: as many members, layers, elements or signs as the reader looks at."""

import json
from base64 import b64encode

ID = "i-bp1a2b3c4d5e6f7g8h9i"
MIB = 1 << 20
_ALARM = {"alertState": "ALERT", "namespace": "acs_ecs"}
_ALERT = {"status": "firing", "labels": {"alertname": "x", "instance_id": ID}, "startsAt": "2024-06-01T03:39:00Z"}
_OVER = {**_ALERT, "status": "resolved", "endsAt": "2024-06-01T03:39:30Z"}
_SLS = {"alert_instance_id": "a", "status": "firing", "labels": {"instance_id": ID}}
_CLOUD = {"specversion": "1", "source": "a", "type": "b"}
_OBJECTS_IN_BASE64 = b64encode(b"[" + b"{}," * 230 + b"{}]").decode()


def _dimensions(filling: str) -> str:
    return json.dumps({**_ALARM, "dimensions": f"{{instanceId={ID}, processName={filling}}}"})


def _group(alerts: list[object]) -> dict[str, object]:
    return {"status": "firing", "groupLabels": {}, "alerts": alerts}


LARGE = {
    "commas in dimensions": _dimensions("," * (MIB - 300)),
    "pairs in dimensions": _dimensions(",a=b" * ((MIB - 300) // 4)),
    "dimensions": json.dumps({**_ALARM, "dimensions": {f"k{number}": "" for number in range(70_000)}}),
    "labels": json.dumps([{**_ALERT, "labels": {f"k{number}": "v" for number in range(60_000)}}]),
    "fields": json.dumps({f"k{number}": 1 for number in range(70_000)}),
    "alerts": json.dumps(_group([{**_ALERT, "x": "x" * 850}] * 1000)),
    "alerts that end": json.dumps(_group([_ALERT, _OVER] * 500)),
    "groups": json.dumps([_group([{"status": "firing"}] * 100)] * 90),
    "alerts of SLS": json.dumps([{**_SLS, "x": "x" * 900}] * 1000),
    "rows of SLS": json.dumps({**_SLS, "fire_results": [{"instance_id": ID}] * 24_000}),
    "rows in alerts of SLS": json.dumps([{**_SLS, "fire_results": [{"instance_id": ID}] * 20}] * 1000),
    "matches of Grafana": json.dumps(
        {"state": "alerting", "ruleName": "x", "evalMatches": [{"value": 1, "tags": {"instance_id": ID}}] * 16_000}
    ),
    "numbers": f"[{'1,' * (MIB // 2 - 4)}1]",
    "long numbers": f"[{f'{10**39},' * (MIB // 41 - 1)}1]",
    "objects": json.dumps([{}] * 1000),
    "numbers in lists": f"[{'123456,' * 140_000}1]",
    "lists": json.dumps({"status": "x", "alerts": [{"labels": {"a": ["y" * 40] * 18}}] * 1000}),
    "depth": "[" * MIB,
    "text": json.dumps("x" * (MIB - 10)),
    "escapes": '{"a":"' + "\\u0041" * ((MIB - 20) // 6) + '"}',
    "escapes in a form": f"alertState={'%20' * (MIB // 3 - 10)}",
    "blanks": " " * (MIB - 1) + "x",
    "cloud events": json.dumps([{**_CLOUD, "data": {"x": "y" * 950}}] * 950),
    "texts in cloud events": json.dumps([{**_CLOUD, "data": "[" + "1," * 450 + "1]"}] * 950),
    "lists in cloud events": json.dumps([{**_CLOUD, "data": [{}] * 38}] * 950),
    "events of Nightingale": json.dumps([{"events": [{}] * 38}] * 950),
    "too many objects": json.dumps([[{}] * 1000] * 250),
    "base64 in cloud events": json.dumps([{**_CLOUD, "data_base64": _OBJECTS_IN_BASE64}] * 950),
    "text in a cloud event": json.dumps({**_CLOUD, "data": json.dumps({"x": "y" * (MIB - 200)})}),
    "base64 in a message": json.dumps({"TopicName": "t", "Message": "QUFB" * ((MIB - 200) // 4)}),
    "instance ids": json.dumps({"instance_ids": [ID] * 40_000}),
}
