"""What the handler returns: the outcome of one event as a whole (docs/operate/records.md)."""

import json
from typing import Any

from ecs_reboot.model import ParsedEvent
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.records.result import SCHEMA, Result

#: The answer to an HTTP caller. A sender tries again on 5xx only, which is what a failure of ours calls for.
HTTP_STATUS = {
    "completed": 200, "partial": 200, "ignored": 200, "handed_over": 202, "rejected": 400, "failed": 503,
}  # fmt: skip
#: Statuses of an outcome that go before the status of the whole: the caller may not ask.
DENIED = (401, 403)
#: What an asynchronous result may be passed on with is 64 KB; indented and escaped as Function Compute writes it.
MOST_BYTES = 60_000
#: So few results fit, whatever they say: an event's texts are cut at 200 characters each.
ALWAYS_SHORT = 20
#: What an answer says of each instance even where there are many.
ESSENTIAL = ("instance_id", "region_id", "action", "code", "retriable")


def status_of(wanted: list[Result], *, rejected: bool) -> str:
    """Judge the whole event.

    ``wanted``: the results of what it asked for; ``rejected``: some element was malformed or not allowed.
    `completed`: every wanted instance got its decision and every `reboot` its reboot. `partial`: some did not.
    `failed`: trouble between us and ECS, and nothing was rebooted. `rejected`, `ignored`: nothing was asked for.
    """
    if not wanted:
        return "rejected" if rejected else "ignored"
    done = any(BY_CODE[result.code].done for result in wanted)
    if any(result.retriable for result in wanted) and not done:
        return "failed"
    if rejected or any(result.retriable or _fell_short(result) for result in wanted):
        return "partial"
    return "ignored" if all(result.code == "no_match" for result in wanted) else "completed"


def _fell_short(result: Result) -> bool:
    """Return whether ECS refused: a reboot, or to look an instance up."""
    return not BY_CODE[result.code].done if result.action == "reboot" else bool(result.api_code)


def reason_of(results: list[Result]) -> str:
    """Return the event's outcome in one line: how many of each code, and the sentence where there is only one."""
    if len(results) == 1:
        return results[0].reason
    counted: dict[str, int] = {}
    for result in results:
        counted[result.code] = counted.get(result.code, 0) + 1
    return ", ".join(f"{count} {code}" for code, count in counted.items())


def body(
    request_id: str,
    trigger: str,
    status: str,
    results: list[Result],
    *,
    dry_run: bool,
    log_store: dict[str, Any],
    notices: dict[str, Any],
    handed_over_by: str = "",
) -> dict[str, Any]:
    """Return the answer. Facts stay in the records: an asynchronous result may hold 64 KB only.

    ``log_store`` and ``notices`` say what became of the records and of the messages about them.
    """
    answer = {
        "schema": SCHEMA,
        "request_id": request_id,
        **({"handed_over_by": handed_over_by} if handed_over_by else {}),
        "trigger": trigger,
        "status": status,
        "reason": reason_of(results),
        "dry_run": dry_run,
        "results": [result.model_dump(mode="json", exclude={"facts"}) for result in results],
        "log_store": log_store,
        "notices": notices,
    }
    return _bounded(answer)


def _bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer in at most MOST_BYTES, as Function Compute writes it; the records hold all in any case.

    First the fields go that are empty, then all but those that say what became of an instance, then the last results;
    ``results_left_out`` counts those by code.
    """
    if len(answer["results"]) <= ALWAYS_SHORT or _size(answer) <= MOST_BYTES:
        return answer
    short = {**answer, "results": [_without_empty(result) for result in answer["results"]]}
    if _size(short) <= MOST_BYTES:
        return short
    results = [{name: result[name] for name in ESSENTIAL if name in result} for result in short["results"]]
    short = {**short, "results": results}
    kept = len(results)
    while kept and _size(short) > MOST_BYTES:
        kept -= max(1, kept // 8)
        left_out: dict[str, int] = {}
        for result in results[kept:]:
            left_out[result["code"]] = left_out.get(result["code"], 0) + 1
        short = {**short, "results": results[:kept], "results_left_out": left_out}
    return short


def _without_empty(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if value not in ("", None, False, 0)}


def _size(answer: dict[str, Any]) -> int:
    return len(json.dumps(answer, indent=4, sort_keys=True))


def handed_over(answer: dict[str, Any], reading: ParsedEvent, reason: str, request_id: str) -> dict[str, Any]:
    """Add to the answer which request carries the event out later, and what was read in it."""
    requests = [
        {"evidence": request.evidence, "instance_ids": [target.instance_id for target in request.targets]}
        for request in reading.requests
    ]
    commands = [{"evidence": command.verb, "instance_ids": [*command.instance_ids]} for command in reading.upkeep]
    return {**answer, "reason": reason, "handed_over_to": request_id, "asked": requests + commands}


def http(answer: dict[str, Any]) -> dict[str, Any]:
    """Wrap the answer as the HTTP response of an HTTP trigger."""
    denied = [status for result in answer["results"] if (status := BY_CODE[result["code"]].http_status) in DENIED]
    return {
        "statusCode": denied[0] if denied else HTTP_STATUS[answer["status"]],
        "headers": {"Content-Type": "application/json; charset=utf-8"},
        "body": json.dumps(answer, ensure_ascii=False),
        "isBase64Encoded": False,
    }
