"""The entry points that Function Compute calls: ``initialize(context)`` once, ``handle(event, context)`` per event.

Wiring only: read the event, carry out what it asks for, write the records, answer. What came in decides what is
loaded: an event that asks for nothing never loads the network SDK.
"""

import os
from typing import Any

from ecs_reboot import answer, records
from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.credentials import Credentials, NoCredentials, current
from ecs_reboot.journal import Journal
from ecs_reboot.model import Reading, RebootRequest
from ecs_reboot.records import Result
from ecs_reboot.settings import Settings, SettingsError, load
from ecs_reboot.sinks import stdout
from ecs_reboot.triggers import read

#: CloudMonitor waits 5 s for an HTTP answer and then calls again.
HTTP_SECONDS = 4.0
#: Used where the context names no timeout. Seconds.
DEFAULT_TIMEOUT = 60.0


class Incomplete(RuntimeError):
    """Trouble between us and Alibaba Cloud left something undone. Raised after the records are out, so that Function
    Compute tries again and the failure destination hears of it.
    """  # noqa: D205 - one sentence


def initialize(context: Any) -> None:  # noqa: ARG001 - FC's signature
    """Read the settings once, so that the first lines of the log say what is wrong with them.

    Wrong settings do not fail here: then each event gets a record that says so, which a failed start would not write.
    """
    try:
        load(os.environ)
    except SettingsError as error:
        stdout.write(f"wrong settings: {error}")


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Carry out what the event asks for and return the answer (docs/records.md); an HTTP response for an HTTP trigger.

    Raises Incomplete on trouble between us and Alibaba Cloud and SettingsError on wrong settings, after the records are
    written; never for what an event holds.
    """
    clock = SystemClock()
    request_id = str(getattr(context, "request_id", "") or "")
    journal = Journal(request_id, clock, stdout.write)
    try:
        settings = load(os.environ)
    except SettingsError as error:
        journal.result(Result(instance_id="", region_id="", action="skip", code="wrong_settings", reason=str(error)))
        raise
    deadline = Deadline(clock, _seconds(context, settings))
    reading = read(event, settings.reading, clock.now())
    if reading.over_http:
        deadline = Deadline(clock, min(HTTP_SECONDS, deadline.left()))

    results = [records.of_element(reading.trigger, element) for element in (*reading.rejected, *reading.ignored)]
    wanted: list[Result] = []
    credentials = None
    if reading.requests or settings.logstore:
        try:
            credentials = current(context, os.environ)
        except NoCredentials as error:
            wanted = [_unsent(request, str(error)) for request in reading.requests]
        else:
            wanted = _carry_out(reading, settings, credentials, deadline, journal)
    results += wanted
    lines = [journal.result(result) for result in results]
    status = answer.status_of(wanted, rejected=bool(reading.rejected))
    body = answer.body(
        request_id,
        reading.trigger,
        status,
        results,
        dry_run=settings.dry_run or any(request.dry_run for request in reading.requests),
        log_store=_ship(lines, settings, credentials, context, clock),
    )
    if reading.over_http:
        return answer.http(body)
    undone = [result for result in wanted if result.retriable]
    if undone:
        raise Incomplete(f"{status}: {answer.reason_of(undone)}")
    return body


def _carry_out(
    reading: Reading, settings: Settings, credentials: Credentials, deadline: Deadline, journal: Journal
) -> list[Result]:
    if not reading.requests:
        return []
    from ecs_reboot.ecs import Ecs  # noqa: PLC0415 - the network SDK is loaded only where it is needed
    from ecs_reboot.remediation import Remediation  # noqa: PLC0415

    ecs = Ecs(
        credentials,
        deadline.clock,
        endpoint=settings.ecs_endpoint,
        network=settings.network,
        answer_seconds=min(settings.ecs_timeout_seconds, max(0.5, deadline.left())),
    )
    remediation = Remediation(
        ecs,
        settings.policy,
        deadline,
        batch_optimization=settings.batch_optimization,
        dry_run=settings.dry_run,
        intend=journal.intend,
    )
    return remediation.run(reading.requests)


def _unsent(request: RebootRequest, reason: str) -> Result:
    return records.of_request(request, "", "no_credentials", reason, retriable=True)


def _ship(
    lines: list[dict[str, Any]],
    settings: Settings,
    credentials: Credentials | None,
    context: Any,
    clock: SystemClock,
) -> dict[str, Any]:
    """Write the records to the logstore; what goes wrong here is said in the answer and harms nothing else."""
    if not settings.logstore:
        return {"status": "off", "written": 0}
    from ecs_reboot.sinks import sls  # noqa: PLC0415 - not needed for standard output alone

    name = f"{settings.log_project}/{settings.logstore}"
    if credentials is None:
        return {"status": "failed", "written": 0, "logstore": name, "message": "there are no credentials to write with"}
    region_id = str(getattr(context, "region", "") or os.environ.get("FC_REGION", ""))
    endpoint = settings.sls_endpoint or sls.endpoint(region_id, settings.network)
    store = sls.Logstore(settings.log_project, settings.logstore, endpoint, credentials)
    try:
        written = store.put(lines, clock.now(), source=region_id, seconds=settings.deadline_margin_seconds / 2)
    except sls.LogStoreError as error:
        stdout.write(f"records did not reach the logstore {name}; they are above: {error}")
        return {"status": "failed", "written": 0, "logstore": name, "message": str(error)}
    return {"status": "written", "written": written, "logstore": name}


def _seconds(context: Any, settings: Settings) -> float:
    """Return how long the work may take: the function's timeout less the margin, at least half the timeout."""
    try:
        timeout = float(context.function.timeout)
    except (AttributeError, TypeError, ValueError):
        timeout = DEFAULT_TIMEOUT
    return max(timeout - settings.deadline_margin_seconds, timeout / 2)
