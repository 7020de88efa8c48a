"""What can come of one instance, or of one element of an event: one row for each code.

Everything that depends on a code is made from this table: whether the claim stays, what the ledger says afterwards, the
HTTP status, who is paged, the alert's query in template.yml, the tables of the documents and the console's words.
``Code`` is closed: a code without a row here does not pass mypy. What ECS answers with a code of its own that has no
row becomes ``refused``; ECS's own word stays in ``api_code``.
"""

from functools import lru_cache
from typing import Literal

from ecs_reboot.named_tuple import NamedTuple

Code = Literal[
    "allowed", "intended", "accepted", "recovered", "DRYRUN.SUCCESS", "would_reboot",
    "start_due", "started", "running_silent", "still_rebooting", "stayed_down", "hung", "unproven",
    "accepted_unconfirmed",
    "deadline", "not_sent", "unresolved", "no_answer",
    "IncorrectInstanceStatus", "InvalidInstanceId.NotFound", "InvalidRegionId.NotFound", "InstanceNotReady",
    "InvalidOperation.Conflict",
    "InstanceExpiredOrInArrears", "InsufficientBalance", "InstanceLockedForSecurity", "DiskError",
    "InvalidParameter.KMSKeyId", "InternalError",
    "ServiceUnavailable", "Throttling", "Throttling.User", "Throttling.Api", "Forbidden.RAM", "caller_refused",
    "refused",
    "paused", "not_found", "locked", "not_running", "unavailable", "not_opted_in", "outside_window", "recently_started",
    "force_not_allowed", "tags_full", "ledger_unavailable", "cooldown", "attempts_exhausted", "suspended", "storm",
    "blast_radius",
    "kubernetes_node", "managed", "platform_repairing", "platform_event", "responsive", "busy",
    "claimed_elsewhere", "handed_over", "storm_began", "repeated", "no_match", "rolling_progress",
    "reset", "resumed", "nothing_to_do", "forgotten", "digest",
    "notice_told", "notice_failed", "no_credentials", "wrong_settings",
    "alarm_over", "not_firing", "information", "monitor_fault", "test_alert", "truncated_alerts", "not_actionable",
    "echo", "stale",
    "malformed", "unsupported", "contradiction", "empty", "too_large", "no_targets", "no_instance_id",
    "invalid_instance_id", "id_conflict", "no_region", "invalid_region", "region_conflict", "no_event_time",
    "invalid_event_time", "from_the_future", "invalid_field", "unknown_field", "not_ecs",
    "override_not_allowed", "override_no_reason", "unauthorized", "http_disabled",
]  # fmt: skip

#: What an attempt leaves in the ledger once its end is known.
EndState = Literal["back", "down", "unproven", "hung"]
Severity = Literal["info", "warning", "error", "critical"]
#: Whose trouble an outcome is; ``caller``: this function's identity or rights.
Subject = Literal["instance", "region", "caller", "account"]


class Outcome(NamedTuple):
    """One row.

    ``action``: whether policy had decided for a reboot. ``done``: it came out as it was meant to. ``keeps_claim``: a
    reboot happened or may have happened, so the claim stays. ``state_after``: what the ledger says then.
    ``denies_reboot``: the record says that no reboot of ours happened. ``retriable``: the same event may succeed later.
    ``pages``: a person must act tonight; ``cure`` says what he does. ``about``: whose trouble it is, however many
    instances the event names. ``refuses_call``: ECS refuses a whole call with it because of one of its instances.
    ``may_have_acted``: ECS failed inside, so it may be doing what was asked all the same.
    """

    code: Code
    action: Literal["reboot", "skip"]
    meaning: str
    chinese: str
    cure: str = ""
    done: bool = False
    keeps_claim: bool = False
    state_after: EndState | None = None
    denies_reboot: bool = True
    retriable: bool = False
    pages: bool = False
    http_status: int = 0
    severity: Severity = "info"
    about: Subject = "instance"
    refuses_call: bool = False
    may_have_acted: bool = False


def _rebooted(
    code: Code, meaning: str, chinese: str, cure: str = "", *, after: EndState | None = None, done: bool = False,
    pages: bool = False, severity: Severity = "info",
) -> Outcome:  # fmt: skip
    return Outcome(
        code, "reboot", meaning, chinese, cure, done=done, keeps_claim=True, state_after=after, denies_reboot=False,
        pages=pages, severity=severity,
    )  # fmt: skip


def _refused(
    code: Code, meaning: str, chinese: str, cure: str, *, later: bool = False, pages: bool = False,
    keeps_claim: bool = False, about: Subject = "instance", refuses_call: bool = False, may_have_acted: bool = False,
) -> Outcome:  # fmt: skip
    return Outcome(
        code, "reboot", meaning, chinese, cure, retriable=later, pages=pages, keeps_claim=keeps_claim, severity="error",
        about=about, refuses_call=refuses_call, may_have_acted=may_have_acted,
    )  # fmt: skip


def _skipped(
    code: Code, meaning: str, chinese: str, cure: str = "", *, pages: bool = False, about: Subject = "instance"
) -> Outcome:
    severity: Severity = "critical" if pages else "info"
    return Outcome(code, "skip", meaning, chinese, cure, pages=pages, severity=severity, about=about)


def _rejected(code: Code, meaning: str, chinese: str, cure: str, status: int = 400) -> Outcome:
    return Outcome(code, "skip", meaning, chinese, cure, http_status=status, severity="warning")


_LOOK = "look at the instance (console output, system log)"
_SEND = "fix the sender's template; docs/understand/events.md shows the form"

OUTCOMES: tuple[Outcome, ...] = (
    _skipped("allowed", "policy lets the instance be rebooted; no record ends with it", "策略允许重启"),
    _rebooted("intended", "ECS is about to be asked (intent record)", "即将请求 ECS 重启"),
    _rebooted("accepted", "ECS accepted the reboot: it said so, or the instance shows it", "ECS 已接受重启请求",
              done=True),
    _rebooted(
        "recovered", "ECS accepted, and it was seen down and then Running again", "已重启并恢复运行",
        after="back", done=True,
    ),
    Outcome("DRYRUN.SUCCESS", "reboot", "a dry run: ECS would reboot", "试运行：ECS 将会重启", done=True),
    Outcome(
        "would_reboot", "reboot", "observing (MODE=observe): it would have been rebooted", "观察模式：本应重启",
        done=True, keeps_claim=True,
    ),
    _rebooted(
        "running_silent", "Running again, but its agent, which spoke before, has not spoken since",
        "已运行，但云助手 Agent 没有心跳",
        f"{_LOOK}; the guest may not have come up", after="back", pages=True, severity="critical",
    ),
    _rebooted(
        "start_due", "stopped by force to finish a reboot that hangs; its start is still due", "已强制停止，待启动",
        "nothing to do: the sweep starts it", severity="warning",
    ),
    _rebooted(
        "started", "the sweep started what had been stopped to finish its reboot", "巡检已启动实例", done=True
    ),
    _rebooted(
        "still_rebooting", "accepted, seen down, not up again when the watch ended", "观察结束时仍在重启",
        "wait for the sweep: it says whether the instance came back or hangs", severity="warning",
    ),
    _rebooted(
        "stayed_down", "accepted, and Stopped when the watch ended", "重启后仍处于停止状态",
        f"{_LOOK}; start it; resume the region if it is suspended", after="down", pages=True, severity="critical",
    ),
    _rebooted(
        "hung", "accepted, and down for longer than HUNG_AFTER_SECONDS", "重启卡住，长时间未恢复",
        f"{_LOOK}; stop it by force and start it, unless the sweep does (FORCE_REBOOT=escalate); the sweep says when "
        "it is back", after="hung", pages=True, severity="critical",
    ),
    _rebooted(
        "unproven", "accepted, and nothing ever showed that it went down", "无法证明实例曾经重启", _LOOK,
        after="unproven", severity="warning",
    ),
    _rebooted(
        "accepted_unconfirmed", "the answer was lost and nothing shows what happened; a retry looks, then asks",
        "应答丢失，无法确认是否已重启；重试时先检查，再决定是否再次请求",
        f"{_LOOK}; the retry or the sweep tells what came of it", pages=True,
        severity="error",
    ),
    _refused("deadline", "too little time was left, so ECS was not asked", "剩余时间不足，未请求 ECS",
             "nothing: the event is tried again", later=True),
    _refused("not_sent", "the service could not be reached", "无法连接服务", "check network and endpoint", later=True),
    _refused("unresolved", "the endpoint's name does not resolve: no such region, or no name service",
             "无法解析接入点域名：地域不存在或域名服务不可用", "correct the request's region; check DNS and endpoint",
             later=True),
    _refused("no_answer", "the service did not answer a question", "服务没有应答", "check network and endpoint",
             later=True),
    _refused("IncorrectInstanceStatus", "ECS: not Running; somebody else may have rebooted it", "实例状态不允许重启",
             _LOOK, keeps_claim=True, refuses_call=True),
    _refused("InvalidInstanceId.NotFound", "ECS: no such instance", "实例不存在", "correct the alarm's target",
             refuses_call=True),
    _refused("InvalidRegionId.NotFound", "ECS: no such region", "地域不存在", "correct the request's region"),
    _refused("InstanceNotReady", "ECS: the instance is not ready yet", "实例尚未就绪，请稍后重试",
             "nothing: the event is tried again", later=True, refuses_call=True),
    _refused("InvalidOperation.Conflict", "ECS: another operation on the instance is under way", "与另一操作冲突",
             "nothing: the event is tried again", later=True),
    _refused("InstanceExpiredOrInArrears", "ECS: expired, or payment is due", "实例已过期或欠费",
             "renew or pay; the event lies in the failure queue", later=True, pages=True, refuses_call=True),
    _refused("InsufficientBalance", "ECS: the account's balance is too low", "账户余额不足",
             "add funds", pages=True, about="account"),
    _refused("InstanceLockedForSecurity", "ECS: locked for security", "实例因安全原因被锁定", "have the lock lifted",
             refuses_call=True),
    _refused("DiskError", "ECS: a disk is in a wrong state", "磁盘状态异常", "look at its disks", pages=True),
    _refused("InvalidParameter.KMSKeyId", "ECS: the key of an encrypted disk is gone, disabled or not open to ECS",
             "加密磁盘的密钥不存在、未启用或未授权 ECS", "enable the key in KMS and authorize ECS to use it",
             pages=True),
    _refused("InternalError", "ECS failed inside, and nothing shows a reboot", "ECS 内部错误",
             "nothing: the event is tried again", later=True, may_have_acted=True),
    _refused("ServiceUnavailable", "ECS was unavailable", "ECS 暂不可用", "nothing: the event is tried again",
             later=True, may_have_acted=True),
    _refused("Throttling", "ECS throttled the call until the deadline", "请求被限流",
             "nothing: the event is tried again", later=True),
    _refused("Throttling.User", "ECS throttled the account until the deadline", "账户请求被限流",
             "nothing: the event is tried again", later=True),
    _refused("Throttling.Api", "ECS throttled the API until the deadline", "接口请求被限流",
             "nothing: the event is tried again", later=True),
    _refused("Forbidden.RAM", "a right is missing, or the instance is not opted in", "缺少权限，或实例未允许重启",
             "`make doctor`; docs/operate/permissions.md", later=True, pages=True, about="caller"),
    _refused("caller_refused", "the service does not accept the function's keys, signature or clock", "凭证或签名无效",
             "`make doctor`; check the role", later=True, pages=True, about="caller"),
    _refused("refused", "the service refused for a reason of its own", "服务拒绝，原因见服务返回的错误码",
             "look up the error that the service answered", pages=True),
    _skipped("paused", "the function is paused", "函数已暂停"),
    _skipped("not_found", "DescribeInstances shows no such instance, or the role may not see it",
             "查不到实例，或角色无权查看", "correct the target, or the role"),
    _skipped("locked", "an operation lock prohibits it", "实例被锁定", "have the lock lifted"),
    _skipped("not_running", "only a Running instance can be rebooted", "实例不在运行中", _LOOK),
    _skipped("unavailable", "expired, or being released", "实例已过期或正在释放", "renew the instance"),
    _skipped("not_opted_in", "the owner did not opt in, or paused it", "所有者未允许重启或已暂停", "tag the instance"),
    _skipped("outside_window", "outside the maintenance windows", "不在维护窗口内"),
    _skipped("recently_started", "it started a short while ago", "实例刚刚启动"),
    _skipped("force_not_allowed", "the request asks for force; policy forbids it", "策略不允许强制重启",
             "set FORCE_REBOOT"),
    _skipped("tags_full", "no room for the ledger's tag", "标签已满，无法记录",
             "remove a tag, or use LEDGER=tablestore", pages=True),
    Outcome("ledger_unavailable", "skip", "the ledger can't be read or written, so nothing is rebooted",
            "台账不可用，因此不重启", "the reason names the call; reset an unreadable entry", retriable=True,
            pages=True, severity="error"),
    _skipped("cooldown", "our last attempt was too short a while ago", "冷却时间内"),
    _skipped("attempts_exhausted", "several attempts did not help", "多次重启无效", f"{_LOOK}; then reset it",
             pages=True),
    _skipped("suspended", "several reboots in a row left their instances down", "连续多次重启失败，地域已中止",
             "find the common cause; then resume the region", pages=True, about="region"),
    _skipped("storm", "far more instances are asked for than the limit allows", "报警风暴，暂不重启"),
    _skipped("blast_radius", "as many as allowed are rebooted already", "已达到同时重启上限"),
    _skipped("kubernetes_node", "a node of a Kubernetes cluster, which repairs its own",
             "Kubernetes 节点，由集群自行修复", "drain the node, then override by hand"),
    _skipped("managed", "an Auto Scaling group owns it and would release it for being down",
             "属于伸缩组，重启期间可能被释放", "set the instance to Protected or Standby first"),
    _skipped("platform_repairing", "the platform itself is carrying out an event on it", "平台正在处理该实例",
             "wait for the event to end"),
    _skipped("platform_event", "the platform announced what a reboot does not fix", "平台已通知的故障，重启无法修复",
             "do what the reason names as the cure", pages=True),
    _skipped("responsive", "the guest is alive, or the alarm is over", "系统仍有响应或报警已解除"),
    _skipped("busy", "a snapshot is being made, or commands run on it", "正在创建快照或执行命令"),
    _skipped("claimed_elsewhere", "another run claimed the instance at the same moment", "另一次执行已认领该实例"),
    _skipped("handed_over", "an HTTP event was handed to an asynchronous run, which `reason` names", "已转交异步执行"),
    _skipped("storm_began", "the first sight of a storm in a region", "报警风暴开始",
             "look at network, DNS and the alarm rule first", pages=True, about="region"),
    _skipped("repeated", "the event asks for the instance more than once", "同一事件重复请求"),
    _skipped("no_match", "a selector found nothing", "没有符合条件的实例", "check the selector and the role"),
    _skipped("rolling_progress", "where a rolling reboot stands", "滚动重启进度"),
    _skipped("reset", "a person cleared the attempts", "已重置尝试记录"),
    _skipped("resumed", "a person lifted a suspension or a storm", "已恢复地域"),
    _skipped("nothing_to_do", "a request about the ledger found nothing to change", "没有需要处理的记录"),
    _skipped("forgotten", "entries of the ledger in tags that no longer matter were removed, or could not be",
             "已清理过期记录", "the reason names the call; the next sweep tries again"),
    _skipped("digest", "what the records say of the last seven days", "最近七天的汇总"),
    _skipped("notice_told", "a chat service took a notice", "通知已送达"),
    _skipped("notice_failed", "a notice did not arrive, or may not have", "通知未送达",
             "the reason names the service's answer; the sweep tells it late"),
    Outcome("no_credentials", "skip", "the function has no credentials", "函数没有凭证", "give the function its role",
            retriable=True, pages=True, severity="error", about="caller"),
    Outcome("wrong_settings", "skip", "a setting can't be read", "设置有误", "the reason names variable, value and fix",
            retriable=True, pages=True, severity="error"),
    _skipped("alarm_over", "the fault is over", "报警已恢复"),
    _skipped("not_firing", "the alarm is not firing", "报警未触发"),
    _skipped("information", "information only", "仅为通知"),
    _skipped("monitor_fault", "the monitor sees nothing, is a watchdog or is silenced", "监控自身无数据或已静默"),
    _skipped("test_alert", "a test of the notification: nothing is at fault", "报警通知测试"),
    _skipped(
        "truncated_alerts", "the sender left alerts of the group out; they are not judged", "发送方省略了部分报警",
        "raise `max_alerts` of the sender's webhook",
    ),
    _skipped("not_actionable", "no reboot was asked for by this kind of event", "该类事件不触发重启"),
    _skipped("echo", "our own reboot causes this event", "由重启本身引起的事件"),
    _skipped("stale", "the event is too old", "事件已过时"),
    _rejected("malformed", "the event can't be read", "事件格式错误", _SEND),
    _rejected("unsupported", "no known kind of event", "不支持的事件", "send an alarm; see docs/understand/events.md"),
    _rejected("contradiction", "the event contradicts itself", "事件自相矛盾", _SEND),
    _rejected("empty", "the event is empty", "事件为空", _SEND),
    _rejected("too_large", "the event exceeds a bound", "事件过大", "send less at once"),
    _rejected("no_targets", "the request names no instance", "请求没有目标", "name instance_ids or select"),
    _rejected("no_instance_id", "no instance ID where this kind has one", "没有实例 ID", "check INSTANCE_LABELS"),
    _rejected("invalid_instance_id", "no well-formed instance ID", "实例 ID 无效", _SEND),
    _rejected("id_conflict", "two places name different instances", "实例 ID 相互矛盾", _SEND),
    _rejected("no_region", "no region, and none is configured", "没有地域", "set DEFAULT_REGION"),
    _rejected("invalid_region", "no well-formed region", "地域无效", _SEND),
    _rejected("region_conflict", "two places name different regions", "地域相互矛盾", _SEND),
    _rejected("no_event_time", "no time, and MAX_EVENT_AGE_SECONDS needs one", "没有事件时间", _SEND),
    _rejected("invalid_event_time", "no readable time", "事件时间无效", _SEND),
    _rejected("from_the_future", "the event is dated after now", "事件时间在未来", "set the sender's clock"),
    _rejected("invalid_field", "a field of the request is wrong", "请求字段有误", "the reason names it"),
    _rejected("unknown_field", "the request has a field that nobody knows", "请求含未知字段", "the reason names it"),
    _rejected("not_ecs", "the event is about no ECS instance", "不是 ECS 实例", "correct the alarm's target"),
    _rejected("override_not_allowed", "a hard guard, or no direct call", "不允许越过",
              "docs/understand/policy.md lists soft guards"),
    _rejected("override_no_reason", "an override needs a reason", "越过须说明原因", "give a reason"),
    _rejected("unauthorized", "an HTTP caller without the right token", "令牌错误", "give the token", 401),
    _rejected("http_disabled", "HTTP events are off: no token is configured", "未启用 HTTP 事件",
              "set WEBHOOK_TOKEN", 403),
)  # fmt: skip

BY_CODE: dict[str, Outcome] = {outcome.code: outcome for outcome in OUTCOMES}
#: What a person is to be told, by what stands in the ledger: a storm, and the ends that are trouble.
TO_TELL: dict[str, Code] = {
    "storm": "storm_began",
    **{outcome.state_after: outcome.code for outcome in OUTCOMES if outcome.state_after and outcome.severity != "info"},
}


@lru_cache(maxsize=64)
def of_service(code: str) -> Code:
    """Return the code for a service's refusal: its own where it has a row, else that of its family, else `refused`."""
    if code in BY_CODE:
        return BY_CODE[code].code
    for beginning, family in _FAMILIES:
        if code.startswith(beginning):
            return family
    return "refused"


#: Codes of which only the beginning tells: the rest names the API or the resource.
_FAMILIES: tuple[tuple[str, Code], ...] = (
    ("InvalidAccessKeyId", "caller_refused"), ("InvalidSecurityToken", "caller_refused"),
    ("MissingSecurityToken", "caller_refused"), ("SignatureDoesNotMatch", "caller_refused"),
    ("IncompleteSignature", "caller_refused"), ("InvalidTimeStamp", "caller_refused"),
    ("SignatureNonceUsed", "caller_refused"), ("Throttling", "Throttling"),
    ("Forbidden", "Forbidden.RAM"), ("NoPermission", "Forbidden.RAM"),
    ("OTSAuthFailed", "caller_refused"), ("OTSNoPermissionAccess", "Forbidden.RAM"),
    ("ServiceUnavailable", "ServiceUnavailable"), ("InternalError", "InternalError"),
    ("IncorrectInstanceStatus", "IncorrectInstanceStatus"), ("InvalidOperation.Conflict", "InvalidOperation.Conflict"),
    # The rest of the codes on the pages of RebootInstances and RebootInstance (2025-12-03), and forms of other calls.
    ("LimitedOperation.ServiceUnavailable", "ServiceUnavailable"),
    ("InvalidInstanceId", "InvalidInstanceId.NotFound"), ("Abs.InvalidInstanceIds", "InvalidInstanceId.NotFound"),
    ("InvalidInstance.NotFoundSystemDisk", "DiskError"), ("InvalidParameter.KMSKeyId", "InvalidParameter.KMSKeyId"),
    ("InstanceExpired", "InstanceExpiredOrInArrears"), ("InstanceNotReady", "InstanceNotReady"),
)  # fmt: skip
