"""The table of environment variables: name, default, how to read it, what it means.

Everything that must know a variable - reading, defaults, docs/operate/settings.md - takes it from here.
"""

from collections.abc import Callable
from typing import Any

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.blast_radius import parse_limit
from ecs_reboot.policy.pause import parse_pause
from ecs_reboot.policy.trigger_kinds import KINDS
from ecs_reboot.policy.windows import parse_freezes, parse_windows, parse_zone
from ecs_reboot.settings import readers as read
from ecs_reboot.settings.notify import parse_channels, parse_secrets


class Variable(NamedTuple):
    """One row of the table: a parser takes the text and returns the value, or raises ValueError with the remedy."""

    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from; empty where anything that ``parse`` takes may be typed."""
        if self.parse is read.flag:
            return ("off", "on") if self.default in ("off", "on") else ("false", "true")
        return self.parse.allowed if isinstance(self.parse, read.Choice) else ()


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "FORCE_REBOOT",
        "never",
        read.Choice("never", "always", "escalate"),
        "`never`: graceful only. `always`: every reboot is forced, like pulling the plug: unwritten data is lost. "
        "`escalate`: the first attempt graceful, a further one within the escalation window forced; a graceful one "
        "that hangs is finished by force (docs/understand/policy.md).",
    ),
    Variable(
        "BATCH_OPTIMIZATION",
        "SuccessFirst",
        read.Choice("AllTogether", "SuccessFirst"),
        "`SuccessFirst`: each instance of a batch is rebooted by itself. `AllTogether`: one that ECS refuses holds "
        "back its batch; it is dropped and the rest is asked for again. A dry run always asks AllTogether, since "
        "ECS checks nothing for SuccessFirst.",
    ),
    Variable(
        "MODE",
        "act",
        read.Choice("act", "observe"),
        "`observe`: everything but the call that reboots. Attempts are remembered in a ledger of its own, so that "
        "cooldown, limits, storms and escalation count as they would; nothing of it holds back a function that acts. "
        "To act, change this variable alone. `make digest` says what would have been done.",
    ),
    Variable("DRY_RUN", "false", read.flag, "`true`: ask ECS to check each reboot without doing it."),
    Variable(
        "PAUSED",
        "",
        parse_pause,
        "A text pauses the function: the reason, which every refusal repeats. May end in `; by=NAME` and "
        "`; until=2026-12-01T06:00Z`, after which it no longer counts.",
    ),
    Variable(
        "DEFAULT_REGION", "", read.region, "The region of an event that names none. Empty: the function's own region."
    ),
    Variable(
        "OPT_IN_TAG",
        "ecs-reboot=enabled",
        read.opt_in_tag,
        "`key=value` that an instance must carry to be rebooted. Empty: no opt-in is asked for. "
        "The value `paused` (also `paused; by=NAME; until=TIME`) under the same key always refuses.",
    ),
    Variable(
        "WEBHOOK_TOKEN",
        "",
        read.text,
        "The shared secret of HTTP callers, as `Authorization: Bearer TOKEN` or query parameter `token`. "
        "Empty: HTTP events are refused.",
        secret=True,
    ),
    Variable(
        "HANDOVER",
        "off",
        read.flag,
        "`on`: an HTTP event that asks for something is handed to the function itself, asynchronously, and its caller "
        "gets 202 at once; a dry run is answered as without. `off`: the caller waits, and gets 503 where that takes "
        "too long. `template.yml` sets it, with the right that it needs.",
    ),
    Variable("HANDOVER_ENDPOINT", "", read.endpoint, "Overrides the account's endpoint of Function Compute."),
    Variable("ECS_ENDPOINT", "", read.endpoint, "Overrides the region's ECS endpoint."),
    Variable(
        "ESS_ENDPOINT",
        "",
        read.endpoint,
        "Overrides the region's Auto Scaling endpoint (MANAGED).",
    ),
    Variable(
        "CMS_ENDPOINT",
        "",
        read.endpoint,
        "Overrides the region's CloudMonitor endpoint (RESPONSIVE). With NETWORK=vpc it stays the public one: no "
        "intranet name is documented.",
    ),
    Variable("SLS_ENDPOINT", "", read.endpoint, "Overrides the region's log service endpoint."),
    Variable(
        "NETWORK",
        "public",
        read.Choice("public", "vpc"),
        "`vpc`: use the intranet endpoints, for a function inside a VPC without internet access.",
    ),
    Variable("LOG_PROJECT", "", read.name, "The log project that gets the records."),
    Variable("LOGSTORE", "", read.name, "The logstore that gets the records. Empty: stdout only."),
    Variable(
        "MAX_EVENT_AGE_SECONDS",
        "1800",
        read.number(0, 604_800),
        "An event older than this is ignored: a throttled delivery can be hours late. 0: no limit.",
    ),
    Variable(
        "INSTANCE_LABELS",
        "instance_id,instanceId,InstanceId,ecs_instance_id",
        read.words(),
        "Label keys that may hold the instance ID in SLS, Alertmanager and Grafana alerts.",
    ),
    Variable(
        "REGION_LABELS",
        "region_id,regionId,_aliyun_arms_region_id,region",
        read.words(),
        "Label keys that may hold the instance's region in those alerts. `region` counts only where its value is "
        "a region ID.",
    ),
    Variable(
        "ACTIONABLE_EVENTS",
        "",
        read.words(),
        "System events, with their status, to act on beyond the defaults of docs/understand/events.md, such as "
        "`Instance:SystemMaintenance.Reboot:Scheduled`, which needs MAINTENANCE_WINDOWS.",
    ),
    Variable(
        "GRACE_SECONDS",
        "600",
        read.number(0, 86_400),
        "An instance that started less than this ago is left alone: it may still be coming up.",
    ),
    Variable(
        "MAINTENANCE_WINDOWS",
        "",
        parse_windows,
        "When reboots may happen: `DAYS HH:MM-HH:MM`, several separated by `;`, such as "
        "`Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00`. A window belongs to the day it starts on. Empty: always.",
    ),
    Variable(
        "FREEZES",
        "",
        parse_freezes,
        "Days on which nothing is rebooted: `2026-12-24..2027-01-02 year end`, several separated by `;`.",
    ),
    Variable("TIME_ZONE", "UTC", parse_zone, "IANA name of the time zone of windows and freezes."),
    Variable(
        "WINDOW_TRIGGERS",
        "timer,event",
        read.words(allowed=KINDS),
        "Which kinds of trigger the windows and freezes bind: `alarm`, `event` (system events), `timer`, `manual`.",
    ),
    Variable(
        "COOLDOWN_SECONDS",
        "1800",
        read.number(0, 604_800),
        "After an attempt the instance is left alone for this long, whatever came of it.",
    ),
    Variable(
        "MAX_ATTEMPTS",
        "3",
        read.number(1, ledger.MOST_ATTEMPTS),
        "This many attempts within ATTEMPT_WINDOW_SECONDS, and then none until a person resets the instance or seven "
        "days have passed since the last one.",
    ),
    Variable(
        "ATTEMPT_WINDOW_SECONDS",
        "86400",
        read.number(60, 604_800),
        "The window of MAX_ATTEMPTS, and of FORCE_REBOOT=escalate.",
    ),
    Variable(
        "MAX_REBOOTS",
        "5%",
        parse_limit,
        "How many instances of a region may be rebooted within MAX_REBOOTS_WINDOW_SECONDS, over all invocations: a "
        "number, a percentage of the opted-in instances (at least one), or `off`.",
    ),
    Variable("MAX_REBOOTS_WINDOW_SECONDS", "3600", read.number(60, 86_400), "The window of MAX_REBOOTS."),
    Variable(
        "GROUP_TAG",
        "",
        read.text,
        "A tag key, such as `app`: no two instances with the same value are rebooted at once. Empty: no groups.",
    ),
    Variable(
        "STORM_FACTOR",
        "10",
        read.number(0, 1000),
        "When more than this many times MAX_REBOOTS instances of a region are asked for within the window, nothing "
        "more is rebooted for its rest. 0: never.",
    ),
    Variable(
        "SUSPEND_AFTER",
        "3",
        read.number(0, 100),
        "After this many reboots in a row that left their instance down, a region is suspended until a person resumes. "
        "0: never.",
    ),
    Variable(
        "LEDGER",
        "tags",
        read.Choice("tags", "tablestore"),
        "Where attempts are remembered. `tags`: in the tag `ecs-reboot.ledger` of each instance, for small fleets. "
        "`tablestore`: in a table of Tablestore, for any number. All functions of an account must use the same. "
        "`template.yml` sets `tablestore`.",
    ),
    Variable("TABLESTORE_INSTANCE", "", read.table_instance, "The Tablestore instance of `LEDGER=tablestore`."),
    Variable("TABLESTORE_TABLE", "ledger", read.table_name, "Its table: key `region` and `row`, both text."),
    Variable(
        "TABLESTORE_ENDPOINT",
        "",
        read.endpoint,
        "Another endpoint than the instance's own in the function's region: `http(s)://host:port`.",
    ),
    Variable(
        "STACK_NAME",
        "default",
        read.stack_name,
        "Which stack this is: under `LEDGER=tablestore` each stack counts limit, storm and suspension for itself. "
        "`template.yml` sets it to the stack's name.",
    ),
    Variable(
        "MANAGED",
        "refuse",
        read.Choice("refuse", "protect", "allow"),
        "`refuse`: a member of an Auto Scaling group that checks health is left alone, since the group releases with "
        "its disks what is not Running; so are Kubernetes nodes, which a request by hand may override. `protect`: a "
        "member that is InService is protected in its group until it is back; needs LEDGER=tablestore. `allow`: "
        "neither is asked.",
    ),
    Variable(
        "PLATFORM_EVENTS",
        "refuse",
        read.Choice("refuse", "ignore"),
        "`refuse`: no reboot while the platform carries out an event of its own on the instance, nor for an announced "
        "one that a reboot does not fix (bad disk, redeployment). `ignore`: events are not asked for.",
    ),
    Variable(
        "RESPONSIVE",
        "any",
        read.Choice("off", "any", "all"),
        "The second opinion on an alarm: is the guest dead (no Cloud Assistant heartbeat for two minutes, or health "
        "state Impaired), is the metric still over its threshold? `any`: one of both is enough; it prevents the reboot "
        "of a working machine for an alarm that is over. `all`: every one that has an opinion must agree; it prevents "
        "also the reboot of a machine that is merely busy. `off`: not asked. No agent and no data: no opinion, no "
        "objection.",
    ),
    Variable(
        "RESPONSIVE_TRIGGERS",
        "metric",
        read.words(allowed=("metric", "alarm", "event", "timer")),
        "What RESPONSIVE binds: `metric`: alarms that carry their metric and threshold (CloudMonitor); `alarm`: all "
        "alarms; `event`, `timer`. A person's request never.",
    ),
    Variable(
        "BUSY_SECONDS",
        "0",
        read.number(0, 86_400),
        "Leave an instance alone while a snapshot of its disks is being made or Cloud Assistant runs commands on it: a "
        "timer until the next tick, an alarm for at most so long. 0: not asked, since snapshots cost a call for each "
        "instance.",
    ),
    Variable(
        "EVIDENCE",
        "off",
        read.Choice("off", "console", "full"),
        "What is kept of an instance right before it is rebooted, in EVIDENCE_BUCKET. `console`: the console's text. "
        "`full`: its picture, open events and last metrics too. Best effort, two seconds at most; nothing that goes "
        "wrong with it stops a reboot (docs/operate/evidence.md).",
    ),
    Variable(
        "EVIDENCE_BUCKET",
        "",
        read.bucket,
        "The private OSS bucket of EVIDENCE, in the function's region: it may show secrets.",
    ),
    Variable(
        "OSS_ENDPOINT", "", read.endpoint, "Another endpoint than the function's region's: `http(s)://host:port`."
    ),
    Variable(
        "CLAIM_SETTLE_SECONDS",
        "0",
        read.number(0, 30, whole=False),
        "How long a claim stands before it is counted. Longer than tags take to be seen everywhere plus one request, "
        "it makes two runs on one instance exclude each other by the ledger alone (docs/understand/safety.md). "
        "`template.yml` sets it.",
    ),
    Variable(
        "VERIFY_SECONDS",
        "0",
        read.number(0, 3600),
        "How long to watch, after ECS accepted, for the instance to go down and be Running again; within the "
        "function's timeout. 0: not at all; the verification sweep or a state-change event completes the record. "
        "`template.yml` sets it.",
    ),
    Variable(
        "HUNG_AFTER_SECONDS",
        "1200",
        read.number(60, 86_400),
        "A rebooted instance that is not Running again after this long is `hung`, or `down` where it is Stopped. A "
        "restart takes 3 to 5 minutes on average and up to 20, and the platform itself forces a stop that hangs after "
        "10 to 20 minutes; choose less only where all are known to be faster.",
    ),
    Variable(
        "ECS_TIMEOUT_SECONDS",
        "10",
        read.number(0.1, 60, whole=False),
        "How long to wait for one answer of ECS.",
    ),
    Variable(
        "DEADLINE_MARGIN_SECONDS",
        "5",
        read.number(0.5, 60, whole=False),
        "Kept back from the function's timeout for writing the records.",
    ),
    Variable(
        "NOTIFY",
        "",
        parse_channels,
        "Who is told, in a chat: addresses of custom bots of DingTalk, Feishu, WeCom and Slack, or `webhook=URL` for "
        "one of your own (CloudEvents); several separated by spaces or commas (docs/operate/notices.md). Empty: none.",
        secret=True,
    ),
    Variable(
        "NOTIFY_SECRET",
        "",
        parse_secrets,
        "What signs the notices: one secret, or `dingtalk=SECRET feishu=SECRET`. To a `webhook` it is sent as a "
        "bearer token.",
        secret=True,
    ),
    Variable("NOTIFY_LANGUAGE", "en", read.Choice("en", "zh"), "The language of the notices."),
    Variable(
        "NOTIFY_KEYWORD",
        "ecs-reboot",
        read.keyword,
        "Stands in brackets before every notice's title: the keyword by which a bot's security setting knows them.",
    ),
)
