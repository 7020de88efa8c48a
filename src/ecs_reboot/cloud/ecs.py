"""The ECS API as a few typed calls, through the official SDK, over our own transport.

Signing, parameter flattening, request and response models and error classes are the SDK's. Sending is ours, at the
SDK's one seam (``DaraCore.do_action``): only so is "not sent" told from "sent, no answer". Nothing is retried here;
whether a call may be repeated is for the callers to say.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.core import DaraCore
from darabonba.exceptions import UnretryableException
from darabonba.response import DaraResponse
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import TeaException

from ecs_reboot import utc_time
from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs_api import Question, TagPage
from ecs_reboot.cloud.endpoints import host
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused, Unresolved
from ecs_reboot.cloud.transport import AnswerLost, Connections, NameUnknown, NothingSent, Request
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer, Selector

#: DescribeInstances gives at most 100 instances a page.
PAGE = 100
#: What it shows by tag or resource group, at most; whether more is cut or an error is written nowhere.
FILTERED_MOST = 1_000

#: How ECS says that a dry run would have gone through. The reference names the first; the second is the form other ECS
#: calls use. Not verified against the live service.
DRY_RUN_OK = ("DRYRUN.SUCCESS", "DryRunOperation")

USER_AGENT = "ecs-reboot"

CONNECT_SECONDS, LEAST_SECONDS = 3.0, 0.5

_connections = Connections()


class _Signer:
    """The SDK's own seam for credentials (``Config.credential``)."""

    bearer_token = None

    def __init__(self, credentials: Credentials) -> None:
        self.type = "sts" if credentials.security_token else "access_key"
        self.provider_name = "static_sts" if credentials.security_token else "static_ak"
        self.access_key_id = credentials.access_key_id
        self.access_key_secret = credentials.access_key_secret
        self.security_token = credentials.security_token or None

    def get_credential(self) -> "_Signer":
        return self


class Ecs:
    """ECS for one set of credentials. ``answer_seconds`` is how long to wait for each answer, within the deadline.

    ``other_endpoints``: product (`ess`, `cms`) -> the endpoint that overrides the region's, '' for none.
    """

    def __init__(
        self,
        credentials: Credentials,
        deadline: Deadline,
        *,
        endpoint: str,
        network: str,
        answer_seconds: float,
        other_endpoints: Mapping[str, str] | None = None,
    ) -> None:
        self._signer = _Signer(credentials)
        self._deadline = deadline
        self._endpoint, self._network = endpoint, network
        self._answer_seconds = answer_seconds
        self._clients: dict[str, Client] = {}
        self._other_endpoints = other_endpoints or {}
        self._other_clients: dict[tuple[str, str], Any] = {}

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Return the facts of those of the (at most 100) instances that exist and that the role may see."""
        request = models.DescribeInstancesRequest(
            region_id=region_id, instance_ids=json.dumps(instance_ids), page_size=PAGE
        )
        wanted = set(instance_ids)
        return tuple(found for found in self._described(request)[0] if found.instance_id in wanted)

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield page by page the instances that meet all conditions of the selector.

        By tag or resource group ECS shows ``FILTERED_MOST`` at most. Where there may be more, all of the region are
        listed, and what was not shown is found among them.
        """
        shown: set[str] = set()
        for page in self._pages(selector):
            shown.update(instance.instance_id for instance in page)
            yield page
        if len(shown) >= FILTERED_MOST and (selector.tags or selector.resource_group_id):
            for page in self._pages(selector.model_copy(update={"tags": (), "resource_group_id": ""})):
                yield tuple(
                    instance for instance in page if instance.instance_id not in shown and _meets(instance, selector)
                )

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Return how many instances of the region have the tag, or, without one, how many there are."""
        request = models.DescribeInstancesRequest(
            region_id=region_id,
            tag=[models.DescribeInstancesRequestTag(key=tag[0], value=tag[1])] if tag else None,
            page_number=1,
            page_size=1,
        )
        body = self._call("DescribeInstances", region_id, "describe_instances_with_options", request)
        total = int(body.total_count or 0)
        if tag is None or total < FILTERED_MOST:
            return total
        return sum(len(page) for page in self.select(Selector(region_id=region_id, tags=(tag,))))

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:
        """Return a page of the instances of the region that have the tag.

        DescribeInstances shows 100 instances a call, ListTagResources 50 tags, and of these all that an instance has.
        """
        request = models.DescribeInstancesRequest(
            region_id=region_id,
            tag=None if whole else [models.DescribeInstancesRequestTag(key=key)],
            max_results=PAGE,
            next_token=start or None,
        )
        page, rest = self._described(request)
        values = ((instance.instance_id, dict(instance.tags).get(key)) for instance in page)
        return TagPage(tuple((instance_id, value) for instance_id, value in values if value is not None), rest or "")

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        """Write one tag on at most 50 instances; it takes the place of the value before."""
        request = models.TagResourcesRequest(
            region_id=region_id,
            resource_type="instance",
            resource_id=list(instance_ids),
            tag=[models.TagResourcesRequestTag(key=key, value=value)],
        )
        self._call("TagResources", region_id, "tag_resources_with_options", request)

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Take one tag from at most 50 instances."""
        request = models.UntagResourcesRequest(
            region_id=region_id, resource_type="instance", resource_id=list(instance_ids), tag_key=[key]
        )
        self._call("UntagResources", region_id, "untag_resources_with_options", request)

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Call RebootInstances for at most 100 instances.

        Raises Refused, NotSent or NoAnswer; after NoAnswer, or a Refused that is ``unsettled``, the instances may be
        rebooting.
        """
        action = "RebootInstances"
        request = models.RebootInstancesRequest(
            region_id=region_id,
            instance_id=list(instance_ids),
            force_reboot=force,
            dry_run=dry_run,
            batch_optimization=batch_optimization,
        )
        try:
            body = self._call(action, region_id, "reboot_instances_with_options", request)
        except Refused as refused:
            if dry_run and refused.code in DRY_RUN_OK:
                return RebootAnswer(request_id=refused.request_id, instances=(), dry_run_code=refused.code)
            raise
        if dry_run and body.instance_responses is None:
            return RebootAnswer(request_id=body.request_id or "", instances=(), dry_run_code=DRY_RUN_OK[0])
        return _answer_of(action, body)

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Call StopInstances: power off at most 100 instances. They are charged on, to be started again.

        Raises Refused, NotSent or NoAnswer; after the last they may be stopping.
        """
        request = models.StopInstancesRequest(
            region_id=region_id,
            instance_id=list(instance_ids),
            force_stop=True,
            # The account's default may be StopCharging, which gives the vCPU back: then no start is certain.
            stopped_mode="KeepCharging",
            batch_optimization="SuccessFirst",
        )
        return _answer_of(
            "StopInstances", self._call("StopInstances", region_id, "stop_instances_with_options", request)
        )

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Call StartInstances for at most 100 instances. Raises Refused, NotSent or NoAnswer."""
        request = models.StartInstancesRequest(
            region_id=region_id, instance_id=list(instance_ids), batch_optimization="SuccessFirst"
        )
        return _answer_of(
            "StartInstances", self._call("StartInstances", region_id, "start_instances_with_options", request)
        )

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:
        """Return the answer to each question, or why there is none."""
        from ecs_reboot.cloud import parallel_calls as rpc  # noqa: PLC0415 - not needed where no fact costs a call

        for question in questions:
            product, region_id = question.api.product, question.region_id
            if product != "ecs" and (product, region_id) not in self._other_clients:
                given = self._other_endpoints.get(product, "")
                self._other_clients[product, region_id] = rpc.client(self._config(product, region_id, given))
        return rpc.ask(self._client_for, _error, questions, min(seconds, self._answer_seconds))

    def _client_for(self, question: Question) -> Any:
        if question.api.product == "ecs":
            return self._client(question.region_id)
        return self._other_clients[question.api.product, question.region_id]

    def _pages(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield page by page what DescribeInstances shows."""
        token: str | None = None
        while True:
            request = models.DescribeInstancesRequest(
                region_id=selector.region_id,
                tag=[models.DescribeInstancesRequestTag(key=key, value=value) for key, value in selector.tags] or None,
                resource_group_id=selector.resource_group_id or None,
                instance_name=selector.name or None,
                max_results=PAGE,
                next_token=token,
            )
            page, token = self._described(request)
            yield page
            if not token:
                return

    def _described(self, request: models.DescribeInstancesRequest) -> tuple[tuple[Instance, ...], str | None]:
        action, region_id = "DescribeInstances", request.region_id
        read_at = self._deadline.clock.now()
        body = self._call(action, region_id, "describe_instances_with_options", request)
        if body.instances is None or body.instances.instance is None:
            raise NoAnswer(action, f"the answer {body.request_id} has no Instances")
        found = tuple(_instance(row, region_id, read_at) for row in body.instances.instance)
        return found, body.next_token or None

    def _call(self, action: str, region_id: str, method: str, request: Any) -> Any:
        # A call that the deadline cuts short still gets a moment: it may be the one that settles what happened.
        left = max(LEAST_SECONDS, self._deadline.left())
        runtime = RuntimeOptions(
            connect_timeout=int(min(CONNECT_SECONDS, left) * 1000),
            read_timeout=int(min(self._answer_seconds, left) * 1000),
        )
        try:
            body = getattr(self._client(region_id), method)(request, runtime).body
        except TeaException as error:
            raise _error(action, error) from error
        if body is None:
            raise NoAnswer(action, "the answer does not have the documented shape")
        return body

    def _client(self, region_id: str) -> Client:
        if region_id not in self._clients:
            self._clients[region_id] = Client(self._config("ecs", region_id, self._endpoint))
        return self._clients[region_id]

    def _config(self, service: str, region_id: str, endpoint: str) -> Config:
        scheme, _, given = endpoint.rpartition("://")
        return Config(
            credential=self._signer,
            region_id=region_id,
            endpoint=given or host(service, region_id, self._network),
            protocol=scheme or "https",
            user_agent=USER_AGENT,
        )


def _error(action: str, error: Exception) -> CloudError:
    if not isinstance(error, TeaException):
        raise error
    cause = getattr(error, "inner_exception", None)
    if isinstance(cause, NameUnknown):
        return Unresolved(action, str(cause))
    if isinstance(cause, NothingSent):
        return NotSent(action, str(cause))
    status = getattr(error, "status_code", None)
    if isinstance(error, UnretryableException) or not status:
        return NoAnswer(action, str(cause or error))
    data = error.data or {}
    return Refused(
        action,
        code=str(error.code),
        message=str(data.get("Message") or error.message),
        status=int(status),
        request_id=str(data.get("RequestId") or ""),
        retry_after_ms=int(getattr(error, "retry_after", 0) or 0),
    )


def _answer_of(action: str, body: Any) -> RebootAnswer:
    rows = body.instance_responses.instance_response if body.instance_responses else None
    if rows is None:
        raise NoAnswer(action, f"the answer {body.request_id} has no InstanceResponses")
    return RebootAnswer(
        request_id=body.request_id or "",
        instances=tuple(
            InstanceAnswer(
                instance_id=row.instance_id or "",
                # A string by the reference, a number in its JSON sample of 2025-12.
                code=str(row.code or ""),
                message=row.message or "",
                previous_status=row.previous_status or "",
                current_status=row.current_status or "",
            )
            for row in rows
        ),
    )


def _meets(instance: Instance, selector: Selector) -> bool:
    """Return whether an instance has the tags and the resource group of a selector."""
    tags = dict(instance.tags)
    return selector.resource_group_id in ("", instance.resource_group_id) and all(
        key in tags and value in ("", tags[key]) for key, value in selector.tags
    )


def _instance(row: Any, region_id: str, read_at: datetime) -> Instance:
    locks = row.operation_locks.lock_reason if row.operation_locks else None
    tags = row.tags.tag if row.tags else None
    return Instance(
        instance_id=row.instance_id or "",
        region_id=row.region_id or region_id,
        status=row.status or "",
        name=row.instance_name or "",
        resource_group_id=row.resource_group_id or "",
        tags=tuple((tag.tag_key or "", tag.tag_value or "") for tag in tags or ()),
        operation_locks=tuple(lock.lock_reason or "unknown" for lock in locks or ()),
        start_time=utc_time.parse(row.start_time),
        expired_time=utc_time.parse(row.expired_time),
        auto_release_time=utc_time.parse(row.auto_release_time),
        read_at=read_at,
    )


def _send(request: Any, options: dict[str, Any] | None = None) -> DaraResponse:
    """Send what the SDK has built and signed. What is not JSON is no answer of ECS: a proxy's page, a cut body."""
    options = options or {}
    scheme, _, rest = DaraCore.compose_url(request).partition("://")
    address, _, target = rest.partition("/")
    body = request.body.encode() if isinstance(request.body, str) else request.body
    answer = _connections.exchange(
        Request(scheme, address, request.method.upper(), f"/{target}", request.headers, body),
        connect_seconds=(options.get("connectTimeout") or 5000) / 1000,
        answer_seconds=(options.get("readTimeout") or 10000) / 1000,
    )
    try:
        readable = isinstance(json.loads(answer.body), dict)
    except ValueError:
        readable = False
    if not readable:
        raise AnswerLost(
            f"{scheme}://{address}: HTTP {answer.status} with {len(answer.body)} bytes that are no JSON object"
        )
    response = DaraResponse()
    response.status_code, response.status_message = answer.status, answer.reason
    response.headers, response.body = answer.headers, answer.body
    return response


#: The SDK's own transport; the deployed package has none.
_others = getattr(DaraCore, "do_action", None)


def _do_action(request: Any, options: dict[str, Any] | None = None) -> DaraResponse:
    """Send our own requests, told by their user agent; other clients of the SDK in this process keep the SDK's way."""
    if _others is None or USER_AGENT in request.headers.get("user-agent", ""):
        return _send(request, options)
    return _others(request, options)


DaraCore.do_action = staticmethod(_do_action)
