"""The console's addresses under ``/console/``: the page, what it shows live, and what it may ask for."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import decisions, deliveries, memory, records, samples, switches
from console.function_pool import FunctionPool, PooledEvent
from console.invocations import InvocationLog
from console.live import Live
from console.pages import HEADERS, page
from console.recognition import recognised
from console.regions import ledger_rows
from console.settings_form import AT_FIRST, SettingsForm
from console.story import story
from ecs_reboot.settings.settings import SettingsError
from ecs_reboot.settings.variable_table import VARIABLES
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import EVIDENCE_BUCKET
from localcloud.commands.project_function import ROLE_NAME
from localcloud.functioncompute.function import ENDPOINTS, InvalidFunction
from localcloud.functioncompute.own_function import OwnFunction
from localcloud.oss.signature import OssError
from localcloud.sls.query import QueryError
from localcloud.sls.store import LogStores

PREFIX = "/console"
#: The longest event that is taken; Function Compute takes 128 KB asynchronously and more synchronously.
MOST_EVENT_BYTES = 1024 * 1024
_MOST_BODY_BYTES = 4 * MOST_EVENT_BYTES
_MOST_SHOWN = 200
#: The chat that gets the notices: of the local chat services the one that takes the most messages a minute.
_ROBOT = "/_chat/feishu/open-apis/bot/v2/hook/demo"

#: What evidence may be shown as, by the ending of its key.
_EXHIBITS = {"png": "image/png", "jpg": "image/jpeg", "txt": "text/plain; charset=utf-8", "json": "application/json"}

Page = Callable[[Request], Awaitable[Response]]


class PageRefused(Exception):
    """A request that can't be carried out; the text is for the person at the page."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class LogService(Protocol):
    """The log service of the same cloud; after a reset its stores are others."""

    stores: LogStores


class ObjectService(Protocol):
    """The object storage of the same cloud."""

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object. Raises OssError."""


class Services(Protocol):
    """The services of a cloud that the console looks into."""

    sls: LogService
    oss: ObjectService
    ots: memory.TableService
    own: OwnFunction | None


class Console:
    """The console of one cloud. ``endpoint`` is the local cloud's own address, for the function."""

    def __init__(self, cloud: Cloud, services: Services, endpoint: str) -> None:
        self._cloud, self._services, self._logs = cloud, services, services.sls
        project, logstore = next(
            ((name, stores[0]) for name, stores in cloud.declared.log_projects.items() if stores), ("", "")
        )
        fixed = {
            **dict.fromkeys(ENDPOINTS, endpoint),
            "LOG_PROJECT": project,
            "LOGSTORE": logstore,
            "EVIDENCE_BUCKET": EVIDENCE_BUCKET,
        }
        own = services.own
        # Not handed over: an event is one run here, and its story that run's.
        given = {**own.function.environment, "HANDOVER": "off"} if own else {}
        self._form = SettingsForm(
            {name: given.get(name, value) for name, value in fixed.items()},
            {
                **_ledger(cloud),
                **{name: value for name, value in given.items() if name not in fixed},
                **AT_FIRST,
                "NOTIFY": f"feishu={endpoint}{_ROBOT}",
                **(own.settings if own else {}),
            },
        )
        self._log = InvocationLog(own.role_name if own else ROLE_NAME)
        self._pool = FunctionPool(cloud, self._log, own)
        self._live = Live(cloud, services.ots, self._log, self._form)
        cloud.on_reset(self._log.clear)
        cloud.audit.subscribe(self._log.see)
        self._pages: Mapping[tuple[str, str], Page] = {
            ("GET", "live"): self._stream,
            ("GET", "samples"): self._samples,
            ("GET", "sample"): self._sample,
            ("GET", "event"): self._event,
            ("GET", "exhibit"): self._exhibit,
            ("GET", "outcomes"): self._outcomes,
            ("GET", "ledger"): self._ledger,
            ("POST", "events"): self._send,
            ("POST", "again"): self._run_again,
            ("POST", "storm"): self._storm,
            ("POST", "settings"): self._settings,
            ("POST", "switches"): self._switch,
            ("GET", "records"): self._records,
            ("GET", "records.jsonl"): self._export,
        }

    async def handle(self, request: Request) -> Response:
        """Answer one request; what can't be carried out is JSON with ``error``."""
        try:
            response = await self._answer(request)
        except PageRefused as refused:
            response = _answered({"error": str(refused)}, refused.status)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def close(self) -> None:
        """End the function's instances."""
        self._pool.close()

    async def _answer(self, request: Request) -> Response:
        name = request.url.path.removeprefix(PREFIX)
        if not name:
            return RedirectResponse(f"{PREFIX}/", 308)
        if name.startswith("/api/"):
            answer = self._pages.get((request.method, name.removeprefix("/api/")))
            if answer is None:
                raise PageRefused(404, f"nothing answers {request.method} {name}")
            return await answer(request)
        found = page(name.removeprefix("/")) if request.method in ("GET", "HEAD") else None
        if found is None:
            raise PageRefused(404, "no such page")
        if name == "/":
            self._warm_up()
        return found

    def _warm_up(self) -> None:
        try:
            self._pool.warm_up(self._form.environment())
        except InvalidFunction as error:
            raise PageRefused(500, f"the function can't be started: {error}") from error

    async def _stream(self, _request: Request) -> Response:
        return StreamingResponse(self._live.stream(), media_type="text/event-stream")

    async def _samples(self, _request: Request) -> Response:
        return _answered(samples.listed())

    async def _sample(self, request: Request) -> Response:
        text = samples.read(request.query_params.get("folder", ""), request.query_params.get("name", ""))
        if text is None:
            raise PageRefused(404, "no such sample")
        return _answered({"text": text})

    async def _event(self, request: Request) -> Response:
        number = request.query_params.get("number", "")
        sent = self._log.get(int(number)) if number.isascii() and number.isdigit() and len(number) <= 9 else None  # noqa: PLR2004
        if sent is None:
            raise PageRefused(404, f"there is no event {number!r} any more")
        return _answered(story(sent, self._logs.stores))

    async def _exhibit(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        try:
            body = self._services.oss.get(EVIDENCE_BUCKET, key)
        except OssError as error:
            raise PageRefused(404, f"there is no evidence under {key!r}") from error
        # What a guest showed is data, never a page of the console's own.
        kind = _EXHIBITS.get(key.rpartition(".")[2], "application/octet-stream")
        return Response(body, media_type=kind, headers={"content-disposition": "inline"})

    async def _send(self, request: Request) -> Response:
        asked = await _json(request)
        event, title = _text(asked, "event"), _text(asked, "title")
        if asked.get("delivery") == "http":
            token = self._form.environment().get("WEBHOOK_TOKEN", "")
            event = deliveries.through_http_trigger(event, token, self._cloud.clock.now())
        number = self._run(event, title, dry_run=asked.get("dry_run") is True)
        return _answered({"number": number}, 202)

    async def _run_again(self, request: Request) -> Response:
        """Run a kept event once more: as it is, or with other settings that hold for this run alone."""
        asked = await _json(request)
        number, others = asked.get("number"), asked.get("settings")
        sent = self._log.get(number) if isinstance(number, int) else None
        if sent is None:
            raise PageRefused(404, f"there is no event {number!r} any more")
        dry_run = sent.dry_run if others is None else asked.get("dry_run") is True
        if others is None:
            others = dict(sent.settings)
        if not isinstance(others, dict) or not all(isinstance(value, str) for value in others.values()):
            raise PageRefused(400, "settings is an object of texts")
        if mistakes := self._form.checked({**self._form.values, **others})[1]:
            return _answered({"mistakes": mistakes})
        again = self._run(sent.event, sent.title, dry_run=dry_run, settings=others, again_of=sent.number)
        return _answered({"number": again}, 202)

    async def _ledger(self, _request: Request) -> Response:
        settings, now = self._form.settings(), self._cloud.clock.now()
        with self._cloud.lock:
            held = memory.read(self._cloud.fleet, self._services.ots.instances, settings, now)
        rows = ledger_rows(held, settings.policy, now) if held else []
        return _answered({"store": settings.policy.ledger if held else "missing", "rows": rows})

    async def _outcomes(self, _request: Request) -> Response:
        return _answered(decisions.words())

    async def _storm(self, request: Request) -> Response:
        count = (await _json(request)).get("count")
        if not isinstance(count, int) or not 1 <= count <= deliveries.MOST:
            raise PageRefused(400, f"a storm has 1 to {deliveries.MOST} alarms")
        with self._cloud.lock:
            alarms = deliveries.storm(self._cloud.fleet, count, self._cloud.clock.now())
        group, numbers = str(uuid.uuid4()), []
        for place, alarm in enumerate(alarms, start=1):
            numbers.append(self._run(alarm, f"storm {place}/{len(alarms)}", dry_run=False, group=group))
            await asyncio.sleep(0)  # the first are on their way already, and call this very server
        return _answered({"numbers": numbers}, 202)

    async def _settings(self, request: Request) -> Response:
        asked = await _json(request)
        values = asked.get("values")
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise PageRefused(400, "values is an object of texts")
        chosen, mistakes = self._form.checked(values)
        if asked.get("apply") is True and not mistakes:
            before, self._form.values = self._form.values, chosen
            try:
                self._pool.warm_up(self._form.environment())
            except InvalidFunction as error:
                self._form.values = before
                mistakes = [{"variable": "", "value": "", "remedy": str(error)}]
        return _answered({"mistakes": mistakes})

    async def _switch(self, request: Request) -> Response:
        asked = await _json(request)
        try:
            switches.turn(self._cloud.faults, _text(asked, "name"), on=asked.get("on") is True)
        except KeyError as error:
            raise PageRefused(404, f"there is no switch {error}") from error
        return _answered(switches.state(self._cloud.faults))

    async def _records(self, request: Request) -> Response:
        found = self._found(request)
        shown = [{**hit.record, "stored": hit.stored} for hit in found[:_MOST_SHOWN]]
        missing = sum(not hit.stored for hit in found)
        return _answered({"count": len(found), "not_stored": missing, "records": shown})

    async def _export(self, request: Request) -> Response:
        return Response(
            records.json_lines(self._found(request)),
            media_type="application/x-ndjson",
            headers={"content-disposition": 'attachment; filename="records.jsonl"'},
        )

    def _found(self, request: Request) -> list[records.FoundRecords]:
        try:
            return records.search(self._logs.stores, self._log.all(), request.query_params.get("query", ""))
        except QueryError as error:
            raise PageRefused(400, str(error)) from error

    def _run(
        self,
        event: str,
        title: str,
        *,
        dry_run: bool,
        settings: Mapping[str, str] | None = None,
        group: str = "",
        again_of: int = 0,
    ) -> int:
        payload = event.encode("utf-8", "surrogatepass")
        if len(payload) > MOST_EVENT_BYTES:
            raise PageRefused(413, f"the event has {len(payload)} bytes; the console takes {MOST_EVENT_BYTES}")
        now = self._cloud.clock.now()
        own = settings or {}
        more = {**own, "DRY_RUN": "true"} if dry_run else own
        began = time.perf_counter()
        try:
            reading = recognised(payload, self._form.settings(**more).reading, now)
        except SettingsError as error:
            raise PageRefused(409, f"the settings are wrong: {error}") from error
        sent = self._log.add(
            title=title[:200],
            request_id=str(uuid.uuid4()),
            event=event,
            dry_run=dry_run,
            received=now,
            reading=reading,
            reading_ms=round((time.perf_counter() - began) * 1000, 2),
            settings=own,
            group=group,
            again_of=again_of,
        )
        self._pool.run(PooledEvent(sent.number, sent.request_id, payload, self._form.environment(**more)))
        return sent.number


def _ledger(cloud: Cloud) -> Mapping[str, str]:
    """Return the settings of a ledger in the cloud's table, as the template has it; none where there is no table."""
    table = next(variable.default for variable in VARIABLES if variable.name == "TABLESTORE_TABLE")
    place = next((spec.instance_name for spec in cloud.declared.tablestore if table in spec.tables), "")
    return {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": place} if place else {}


def _answered(content: Any, status: int = 200) -> Response:
    # In ASCII: half a surrogate pair, which an event may hold, can be escaped but not encoded.
    return Response(json.dumps(content), status, media_type="application/json")


async def _json(request: Request) -> dict[str, Any]:
    """Read a JSON object; the content type is asked for because no form of another site can send it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise PageRefused(415, "send application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            raise PageRefused(413, f"the request is longer than {_MOST_BODY_BYTES} bytes")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PageRefused(400, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise PageRefused(400, "the body is not a JSON object")
    return value


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise PageRefused(400, f"{name} is a text")
    return value
