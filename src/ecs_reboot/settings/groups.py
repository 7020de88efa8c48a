"""The variables by what they are about, in the order in which the documents and forms show them, in both languages.

The function itself does not read this. The form of template.yml has the same groups; a test compares them.
"""

from collections.abc import Iterator

from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.settings.variable_table import VARIABLES, Variable

_VARIABLES = {variable.name: variable for variable in VARIABLES}


class Group(NamedTuple):
    """Variables of one concern."""

    english: str
    chinese: str
    names: str

    def variables(self) -> Iterator[Variable]:
        """Return its variables in their order."""
        return (_VARIABLES[name] for name in self.names.split())


GROUPS = (
    Group(
        "What may be rebooted",
        "可以重启什么",
        "OPT_IN_TAG DEFAULT_REGION ACTIONABLE_EVENTS INSTANCE_LABELS REGION_LABELS",
    ),
    Group(
        "How",
        "如何重启",
        "MODE DRY_RUN FORCE_REBOOT BATCH_OPTIMIZATION COOLDOWN_SECONDS MAX_ATTEMPTS ATTEMPT_WINDOW_SECONDS MAX_REBOOTS "
        "MAX_REBOOTS_WINDOW_SECONDS GROUP_TAG STORM_FACTOR SUSPEND_AFTER CLAIM_SETTLE_SECONDS VERIFY_SECONDS "
        "HUNG_AFTER_SECONDS",
    ),
    Group(
        "What is asked before",
        "重启前核实什么",
        "MANAGED PLATFORM_EVENTS RESPONSIVE RESPONSIVE_TRIGGERS BUSY_SECONDS",
    ),
    Group(
        "When",
        "何时重启",
        "PAUSED GRACE_SECONDS MAX_EVENT_AGE_SECONDS MAINTENANCE_WINDOWS FREEZES TIME_ZONE WINDOW_TRIGGERS",
    ),
    Group("What calls it", "由什么触发", "WEBHOOK_TOKEN HANDOVER"),
    Group("Who is told", "通知谁", "NOTIFY NOTIFY_SECRET NOTIFY_LANGUAGE NOTIFY_KEYWORD"),
    Group("Where it logs", "日志写到哪里", "LOG_PROJECT LOGSTORE"),
    Group(
        "Where it remembers",
        "记忆存放在哪里",
        "LEDGER STACK_NAME TABLESTORE_INSTANCE TABLESTORE_TABLE EVIDENCE EVIDENCE_BUCKET",
    ),
    Group(
        "Advanced",
        "高级",
        "NETWORK ECS_TIMEOUT_SECONDS DEADLINE_MARGIN_SECONDS ECS_ENDPOINT SLS_ENDPOINT ESS_ENDPOINT CMS_ENDPOINT "
        "TABLESTORE_ENDPOINT OSS_ENDPOINT HANDOVER_ENDPOINT",
    ),
)
