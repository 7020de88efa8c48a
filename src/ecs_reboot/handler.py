"""The entry points that Function Compute calls: ``initialize(context)`` once, ``handle(event, context)`` per event.

Wiring only. What came in decides what is loaded: an event that asks for nothing never loads the network SDK.
"""

import os
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from ecs_reboot.clock import RESERVE_SECONDS, Clock, Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials, NoCredentials, current
from ecs_reboot.cloud.errors import NotSent
from ecs_reboot.handover import InvokeLater
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections, holds_of
from ecs_reboot.records import response, stdout
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.redaction import Redactor
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings, SettingsError, load, secrets_of

if TYPE_CHECKING:  # loaded only where somebody is to be told
    from ecs_reboot.records.notices.delivery import NoticeDelivery

if TYPE_CHECKING:
    from ecs_reboot.cloud.oss import Bucket
    from ecs_reboot.ledger.table_rows import TableApi

#: Used where the context names no timeout. Seconds.
DEFAULT_TIMEOUT = 60.0


class RetryableFailure(RuntimeError):
    """Trouble between us and Alibaba Cloud left something to do.

    Raised after the records are out, so that Function Compute tries again and the failure destination hears of it.
    """


def initialize(context: Any) -> None:  # noqa: ARG001 - FC's signature
    """Read the settings once, so that the first lines of the log say what is wrong with them.

    Wrong settings do not fail here: then each event gets a record that says so, which a failed start would not write.
    """
    try:
        _settings_of(tuple(os.environ.items()))
    except SettingsError as error:
        stdout.write(f"wrong settings: {error}")


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Carry out what the event asks for, return the answer (docs/operate/records.md); a response over HTTP.

    Raises RetryableFailure on trouble between us and Alibaba Cloud and SettingsError on wrong settings, after the
    records are written; never for what an event holds.
    """
    clock = SystemClock()
    request_id = str(getattr(context, "request_id", "") or "")
    redact = Redactor(secrets_of(os.environ))
    record_log = RecordLog(request_id, clock, stdout.write, redact)
    try:
        settings = _settings_of(tuple(os.environ.items()))
    except SettingsError as error:
        record_log.result(Result(instance_id="", region_id="", action="skip", code="wrong_settings", reason=str(error)))
        raise
    try:
        credentials: Credentials | NoCredentials = current(context, os.environ)
    except NoCredentials as error:
        credentials = error
    invocation = Invocation(
        request_id,
        settings,
        _deadline(context, settings, clock),
        connect=lambda deadline: _connect(credentials, settings, deadline, _region(context)),
        record_log=record_log,
        delivery=RecordDelivery(settings, credentials, _region(context), clock),
        invoke_later=_invoke_later(context, credentials, settings) if settings.handover else None,
        notices=_notices(context, credentials, settings, request_id, clock),
    )
    answered = invocation.answer(event)
    if answered.over_http:
        return response.http(redact(answered.body))
    if answered.retry_reason:
        raise RetryableFailure(redact(answered.retry_reason))
    body: dict[str, Any] = redact(answered.body)
    return body


@lru_cache(maxsize=1)
def _settings_of(environment: tuple[tuple[str, str], ...]) -> Settings:
    """Return the settings. A process keeps its environment, so only its first event pays for reading them."""
    return load(dict(environment))


def _connect(
    credentials: Credentials | NoCredentials, settings: Settings, deadline: Deadline, region_id: str
) -> Connections:
    if isinstance(credentials, NoCredentials):
        raise credentials
    from ecs_reboot.cloud.ecs import Ecs  # noqa: PLC0415 - loads the network SDK

    ecs = Ecs(
        credentials,
        deadline,
        endpoint=settings.ecs_endpoint,
        network=settings.network,
        answer_seconds=settings.ecs_timeout_seconds,
        other_endpoints={"ess": settings.ess_endpoint, "cms": settings.cms_endpoint},
    )

    def bucket() -> "Bucket":
        from ecs_reboot.cloud import endpoints  # noqa: PLC0415 - only where it is used
        from ecs_reboot.cloud.oss import Bucket  # noqa: PLC0415

        address = settings.oss_endpoint or endpoints.url("oss", region_id, settings.network)
        return Bucket(settings.evidence_bucket, region_id, address, credentials)

    table = partial(_table, credentials, settings, deadline, region_id)
    if settings.policy.mode == "observe":
        from ecs_reboot.ledger.observing_ecs import ObservingEcs  # noqa: PLC0415 - only where it is used

        return Connections(ObservingEcs(ecs), table)
    return Connections(ecs, table, None if settings.evidence == "off" else bucket)


def _table(credentials: Credentials, settings: Settings, deadline: Deadline, region_id: str) -> "TableApi":
    from ecs_reboot.cloud import endpoints  # noqa: PLC0415 - only where it is used
    from ecs_reboot.cloud.tablestore.client import Tablestore  # noqa: PLC0415

    name = settings.tablestore_instance
    address = settings.tablestore_endpoint or endpoints.url("ots", region_id, settings.network, owner=name)
    return Tablestore(name, credentials, deadline, endpoint=address, answer_seconds=settings.ecs_timeout_seconds)


def _invoke_later(context: Any, credentials: Credentials | NoCredentials, settings: Settings) -> InvokeLater:
    """Return what has this very function run on an envelope."""

    def invoke_later(envelope: bytes, deadline: Deadline) -> str:
        from ecs_reboot.cloud import endpoints  # noqa: PLC0415 - only HTTP events need these
        from ecs_reboot.cloud import function_compute as fc  # noqa: PLC0415

        function = fc.this_function(context, os.environ)
        if isinstance(credentials, NoCredentials) or function is None:
            missing = credentials if isinstance(credentials, NoCredentials) else "the context names no function"
            raise NotSent(fc.ACTION, str(missing))
        endpoint = settings.handover_endpoint or endpoints.url(
            "fc", function.region_id, settings.network, owner=function.account_id
        )
        return fc.invoke_later(function, envelope, credentials, deadline, endpoint=endpoint)

    return invoke_later


def _notices(
    context: Any, credentials: Credentials | NoCredentials, settings: Settings, request_id: str, clock: Clock
) -> "NoticeDelivery | None":
    if not settings.notify:
        return None
    from ecs_reboot.records.notices.composition import Frame  # noqa: PLC0415 - only where somebody is to be told
    from ecs_reboot.records.notices.delivery import OWN, NoticeDelivery  # noqa: PLC0415
    from ecs_reboot.records.notices.notice import Channel  # noqa: PLC0415

    region_id = _region(context)
    frame = Frame.of(settings, request_id, region_id, clock.now())
    channels = [Channel(*channel) for channel in settings.notify]
    lease = holds_of(_timeout(context)).total_seconds()
    if settings.policy.ledger != "tablestore" or isinstance(credentials, NoCredentials):
        return NoticeDelivery(channels, frame, clock, lease=lease)
    from ecs_reboot.records.notices.table_memory import TableMemory  # noqa: PLC0415 - the other store

    memory = TableMemory(
        lambda deadline: _table(credentials, settings, deadline, region_id),
        settings.tablestore_table,
        clock,
        OWN,
        region_id=region_id,
        stack=settings.stack_name,
        run=f"{request_id}.{int(clock.jitter() * 2**32):08x}",
    )
    return NoticeDelivery(channels, frame, clock, memory, lease=lease)


def _region(context: Any) -> str:
    return str(getattr(context, "region", "") or os.environ.get("FC_REGION", ""))


def _deadline(context: Any, settings: Settings, clock: Clock) -> Deadline:
    """Set it the margin before the function's timeout, at least half the timeout from now.

    Half of what is left then is for taking claims back, the other half for the records.
    """
    timeout = _timeout(context)
    seconds = max(timeout - settings.deadline_margin_seconds, timeout / 2)
    return Deadline(clock, seconds, min(RESERVE_SECONDS, (timeout - seconds) / 2))


def _timeout(context: Any) -> float:
    """Return after how many seconds Function Compute ends the run."""
    try:
        return float(context.function.timeout)
    except (AttributeError, TypeError, ValueError):
        return DEFAULT_TIMEOUT
