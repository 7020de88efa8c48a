"""What a stack's resources are made in: the services of one account in one region, and how they reach each other."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.eventbridge.bus import Bus
from localcloud.functioncompute import function as fc
from localcloud.functioncompute.api.functions import Functions
from localcloud.functioncompute.invocation import Invocation
from localcloud.mns.errors import MessageError
from localcloud.mns.messages import Messages
from localcloud.oss.service import Oss
from localcloud.ram.roles import Role, RoleRefusal, Roles
from localcloud.ram.system_roles import CLOUD_MONITOR, CLOUD_MONITOR_SERVICE, EVENT_BRIDGE, EVENT_BRIDGE_SERVICE
from localcloud.sls.store import LogEntry, LogStores
from localcloud.tablestore.service import Ots
from localcloud.timers.timer_service import TimerService

if TYPE_CHECKING:
    from localcloud.functioncompute.api.async_invoke import AsyncConfig

REGION = "cn-hangzhou"
#: How long a new role takes until it works everywhere. No page gives a figure; seconds are seen.
ROLE_SETTLES_SECONDS = 10.0
#: The same under the deviation `roles_settle_slowly`.
ROLE_SETTLES_SLOWLY_SECONDS = 60.0
#: Deviations -> the condition keys that RAM does not look at then.
_IGNORED = {"resource_tags_ignored": "acs:ResourceTag/", "request_tags_ignored": "acs:RequestTag/"}
FUNCTION_SERVICE, MESSAGE_SERVICE = "fc.aliyuncs.com", "mns.aliyuncs.com"


class Denied(Exception):
    """A service may not do for its role what it was about to do."""


class RosAccount:
    """The services beside ECS: RAM, EventBridge, messages, timers, OSS, functions, and the log stores it shares.

    ``url`` is where the local cloud answers: a function's calls to Alibaba Cloud go there, as names would lead it.
    Close it: functions run in processes, their code lies in a temporary folder.
    """

    def __init__(
        self, cloud: Cloud, functions: Functions, stores: LogStores, oss: Oss, ots: Ots, *, url: Callable[[], str]
    ) -> None:
        self.cloud, self.stores, self.oss, self.ots, self.url = cloud, stores, oss, ots, url
        self.region = REGION
        #: Tablestore is activated once for each account.
        self.tablestore_activated = True
        #: The actions of RAM that deployers needed so far.
        self.asked: set[str] = set()
        self._slept = 0.0
        self.roles = Roles(
            cloud.account,
            lambda: cloud.clock.now().timestamp() + self._slept,
            lambda: tuple(key for name, key in _IGNORED.items() if cloud.deviates(name)),
        )
        self.bus = Bus(cloud.account, REGION, cloud.clock.now, self._as_published)
        self.messages = Messages(cloud.account, cloud.clock, cloud.random("messages"))
        self.timers = TimerService(silent=lambda: cloud.deviates("timers_silent"))
        self.functions = functions
        self.function_roles: dict[str, Role] = {}
        self.async_configs: dict[str, AsyncConfig] = {}
        self.reserved: dict[str, int] = {}
        self.http_triggers: dict[str, tuple[str, Mapping[str, Any]]] = {}
        #: CloudMonitor's threshold rules by ID: RuleName, Namespace, EnableState, Webhook, and Targets: ARNs by ID.
        self.alarm_rules: dict[str, dict[str, Any]] = {}
        #: What is kept and answered by no call here: alarm rules and their targets, indices, dashboards, alerts.
        self.kept: dict[tuple[str, str], Mapping[str, Any]] = {}
        # A function's process that was told to end may still be writing its bytecode when the folder goes.
        self._folder = tempfile.TemporaryDirectory(prefix="localcloud-", ignore_cleanup_errors=True)
        self._decided_before = cloud.authorize
        cloud.authorize = self._authorize
        functions.on_destination("mns", self._fail_to)

    def _authorize(self, identity: Identity, action: str, resource: Resource) -> bool:
        """Decide by the policies of the roles made here; of others decides who decided before."""
        if self.roles.knows(identity.name):
            return self.roles.authorize(identity, action, resource)
        return self._decided_before(identity, action, resource)

    def _as_published(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an event as its source puts it on the bus."""
        if event["source"] == "acs.ecs" and self.cloud.deviates("event_types_with_status"):
            return {**event, "type": f"{event['type']}:{event.get('data', {}).get('eventStatus')}"}
        if event["source"] == "acs.cms" and self.cloud.deviates("agent_event_without_subject"):
            return {**event, "subject": "", "data": {}}
        return event

    def close(self) -> None:
        """End all functions."""
        self._folder.cleanup()

    def unpacked(self, package: bytes, name: str) -> Path:
        """Unpack a code package to a folder of its own. Raises Refusal where it is no ZIP file."""
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder.name))
        try:
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile as error:
            raise RoleRefusal(f"InvalidArgument: the code package of {name} is no ZIP file") from error
        return folder

    def session(self, role: Role) -> Callable[[], fc.RoleCredentials]:
        """Return what gives a function the credentials of its role."""

        def credentials() -> fc.RoleCredentials:
            session = self.cloud.credentials.assume_role(role.name)
            return fc.RoleCredentials(session.access_key_id, session.access_key_secret, session.security_token)

        return credentials

    def sleep(self, seconds: float) -> None:
        """Let time pass for roles, without waiting."""
        self._slept += seconds

    def require_settled(self, role: Role, action: str, arn: str) -> None:
        """Check what a service looks at when it is set up, under a role that must be known everywhere by then."""
        slowly = self.cloud.deviates("roles_settle_slowly")
        if self.roles.age(role.name) < (ROLE_SETTLES_SLOWLY_SECONDS if slowly else ROLE_SETTLES_SECONDS):
            raise Denied(f"the role {role.name} was made a moment ago and may not do {action} on {arn} yet")
        self.require(role, action, arn)

    def ask(self, identity: Identity, action: str, arn: str, circumstances: Mapping[str, str]) -> bool:
        """Return whether somebody may do this; what was asked for is kept."""
        self.asked.add(action)
        return self.cloud.authorize(identity, action, Resource(arn, circumstances=circumstances))

    def require_service(self, name: str, service: str, action: str, arn: str) -> None:
        """Check what a service does under a role of the account that is its own. Raises Denied."""
        role = self.roles.get(name)
        if role is None or service not in role.services:
            raise Denied(f"{service} was not authorized: there is no role {name} that it may take")
        self.require(role, action, arn)

    def alarm(self, rule_id: str, message: str) -> int:
        """Let a threshold rule of CloudMonitor fire; return how many of its targets got the message.

        A target that CloudMonitor can't reach is passed over without a word to anybody, as by the service.
        """
        rule, reached = self.alarm_rules[rule_id], 0
        ending = "/messages" if self.cloud.deviates("alarm_target_messages") else "/message"
        for arn in rule["Targets"].values() if rule["EnableState"] else ():
            topic = arn.partition(":/topics/")[2].removesuffix(ending)
            try:
                about = f"acs:mns:{self.region}:{self.cloud.account}:/topics/{topic}/messages"
                self.require_service(CLOUD_MONITOR, CLOUD_MONITOR_SERVICE, "mns:PublishMessage", about)
                reached += self.messages.publish(topic, message)
            except (Denied, MessageError) as error:
                self.cloud.audit.record("undelivered", source=f"alarm rule {rule_id}", reason=str(error))
        return reached

    def from_bus(self, function: str, call: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Return what takes an event from the bus to a function, under EventBridge's own role; else it is lost."""
        arn = self.functions.arn(function)

        def deliver(event: bytes) -> None:
            try:
                self.require_service(EVENT_BRIDGE, EVENT_BRIDGE_SERVICE, "fc:InvokeFunction", arn)
            except Denied as error:
                self.cloud.audit.record("undelivered", source="event bus", reason=str(error))
            else:
                call(event)

        return deliver

    def require(self, role: Role, action: str, arn: str) -> None:
        """Check what a service does under a role. Raises Denied."""
        verdict = self.roles.verdict(role.name, action, Resource(arn))
        if not verdict.allowed:
            raise Denied(f"the role {role.name} may not do {action} on {arn}")

    def log(self, function: str, role: Role, project: str, logstore: str) -> Callable[[Invocation], None]:
        """Return what writes a function's logs to a logstore, under the function's role."""
        around = {"__topic__": f"FCLogs:{function}", "__source__": ""}
        arn = f"acs:log:{self.region}:{self.cloud.account}:project/{project}/logstore/{logstore}"

        def write(invocation: Invocation) -> None:
            self.require(role, "log:PostLogStoreLogs", arn)
            now = self.cloud.clock.now()
            self.stores.logstore(project, logstore).extend(
                LogEntry(now, int(now.timestamp()), 0, {**around, "message": line, "requestId": invocation.request_id})
                for line in invocation.logs.decode(errors="replace").splitlines()
            )

        return write

    def _fail_to(self, function: str, destination: str, message: bytes) -> None:
        """Send a failed event to a queue, under the function's role. Raises Denied, MessageError."""
        self.require(self.function_roles[function], "mns:SendMessage", destination)
        if not self.cloud.deviates("failures_lost"):
            self.messages.queue(queue_of(destination)).send(message.decode())

    def call_http(self, function: str, request: "HttpRequest") -> tuple[int, Mapping[str, str], bytes]:
        """Call a function through its HTTP trigger: the documented event in, status, headers and body out."""
        config = self.http_triggers[function][1]
        if request.method not in config["methods"]:
            return 405, {}, b'{"Code": "MethodNotAllowed"}'
        if config["authType"] != "anonymous":
            return 403, {}, b'{"Code": "AccessDenied", "Message": "the local cloud knows anonymous callers only"}'
        if self.cloud.deviates("query_lost"):
            request.query = ""
        event = json.dumps(request.event(self.cloud.clock.now())).encode()
        invocation = self.functions.invoke(function, event).invocation
        if invocation.error:
            return 502, {"x-fc-error-type": invocation.error}, invocation.payload
        answer = json.loads(invocation.payload)
        headers = {name: str(value) for name, value in answer.get("headers", {}).items()}
        return int(answer["statusCode"]), headers, str(answer.get("body", "")).encode()


def queue_of(destination: str) -> str:
    """Return the queue that a destination names. Raises Refusal where it names none."""
    prefix, _, rest = destination.partition(":/queues/")
    if not prefix.startswith("acs:mns:") or not rest.endswith("/messages"):
        raise RoleRefusal(f"InvalidArgument: {destination} is no queue: acs:mns:REGION:ACCOUNT:/queues/NAME/messages")
    return rest.removesuffix("/messages")


class HttpRequest:
    """A request to an HTTP trigger's address, and the event that Function Compute makes of it."""

    def __init__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body

    def event(self, now: datetime) -> dict[str, Any]:
        """Return the event, as documented for the built-in runtimes."""
        return {
            "version": "v1",
            "rawPath": self.path,
            "body": self.body.decode("latin-1"),
            "isBase64Encoded": False,
            "headers": {name.title(): value for name, value in self.headers.items()},
            "queryParameters": dict(parse_qsl(self.query, keep_blank_values=True)),
            "requestContext": {
                "accountId": "",
                "domainName": "localhost",
                "domainPrefix": "localhost",
                "requestId": "",
                "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "timeEpoch": str(int(now.timestamp() * 1000)),
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": self.headers.get("user-agent", ""),
                },
            },
        }
