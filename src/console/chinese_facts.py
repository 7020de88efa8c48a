"""What guards read, in Chinese: the sentences of ``review.guard_facts`` phrase by phrase. Pure.

Names of fields, settings and values stay as they are; the page shows the original beside. A phrase that is not here
stays English, and a test finds it.
"""

import re
from collections.abc import Callable

_UNITS = {"s": "秒", "min": "分钟", "h": "小时", "d": "天"}
#: English, as a pattern -> Chinese. The first that match at a place count, so longer ones come first.
_PHRASES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"the metric was not asked for", "未查询指标"),
    (r"the guest was not asked about", "未查询实例内部"),
    (r"the region's ledger was not read for this decision", "此次决策未读取该地域的台账"),
    (r"not asked, since a cheaper guard decides first", "未查询：成本更低的检查已先作出决策"),
    (r"could not be read: ", "无法读取："),
    (r"not asked", "未查询"),
    (r"PAUSED is empty", "PAUSED 为空"),
    (r", which has passed", "，已过期"),
    (r"DescribeInstances in (\S+) did not show it", r"\1 的 DescribeInstances 中没有它"),
    (r"DescribeInstances showed it at (\S+)", r"DescribeInstances 于 \1 显示了它"),
    (r"none given", "未给出"),
    (r"is empty", "为空"),
    (r"no tag of a Kubernetes node", "没有 Kubernetes 节点的标签"),
    (r": no tag is written", "：不写标签"),
    (r"no tag (\S+?)(?=,|$)", r"没有标签 \1"),
    (r"(\S+) tags? of at most (\d+)", r"\1 个标签，最多 \2 个"),
    (r", one of them the ledger", "，其中一个是台账"),
    (r"\btag (?=\S+=)", "标签 "),
    (r"is not bound by windows", "不受窗口约束"),
    (r"is bound by windows; it is ", "受窗口约束；当前为 "),
    (r"\ban alarm\b", "报警"),
    (r"\ba system event\b", "系统事件"),
    (r"\ba timer\b", "定时器"),
    (r"\ba manual request\b", "人工请求"),
    (r"what finishes a hung reboot", "完成卡住的重启的请求"),
    (r"force asked for: nothing said", "未说明是否强制"),
    (r"force asked for: yes", "要求强制"),
    (r"force asked for: no", "要求不强制"),
    (r"force asked for: ", "是否强制："),
    (r"nothing said", "未说明"),
    (r"no ledger entry", "没有台账条目"),
    (r"ledger entry: ", "台账条目："),
    (r" \(this request's own claim\)", "（本请求自己的认领）"),
    (r"last attempt ", "上次尝试 "),
    (r"no earlier attempt", "此前没有尝试"),
    (r", perhaps one hidden at ", "，可能还有一次隐藏的尝试："),
    (r"(\S+) earlier attempts?", r"此前尝试 \1 次"),
    (r"reboots in a row that left their instance down: ", "连续未恢复的重启次数："),
    (r"a storm was seen at ", "报警风暴始于 "),
    (r"no storm seen", "未见报警风暴"),
    (r"(\S+) others? asked for within (\S+) s", r"\2 秒内另有 \1 台被要求重启"),
    (r"(\S+) others? rebooted within (\S+) s", r"\2 秒内另有 \1 台已重启"),
    (r"limit (\S+) times STORM_FACTOR (\S+)", r"上限 \1，STORM_FACTOR \2 倍"),
    (r"limit none", "无上限"),
    (r"\blimit ", "上限 "),
    (r"none of it under way", "组内没有进行中的重启"),
    (r"(\S+) is not back yet", r"\1 尚未恢复"),
    (r"in no Auto Scaling group", "不在任何伸缩组中"),
    (r"(\w+) in Auto Scaling group (\S+), health checks: ", r"在伸缩组 \2 中，\1，健康检查："),
    (r"open system events: none", "没有未结束的系统事件"),
    (r"open system events: ", "未结束的系统事件："),
    (r", due (\S+)", r"，计划于 \1"),
    (r" that it does not bind", "不受其约束"),
    (r"the platform finds the instance Impaired", "平台判定实例异常（Impaired）"),
    (r"whether the guest is alive can't be read: ", "无法读取实例内部是否存活："),
    (r"Cloud Assistant knows no agent in the guest", "云助手在实例内没有 Agent"),
    (r"the guest is alive: its agent spoke (\S+) s ago", r"实例内部存活：其 Agent 在 \1 秒前有心跳"),
    (
        r"the agent has not spoken since the instance started, so its silence says nothing",
        "Agent 自实例启动后没有心跳，因此不能说明什么",
    ),
    (r"the guest looks dead: its agent has been silent for (\S+) s", r"实例内部无响应：其 Agent 已 \1 秒没有心跳"),
    (r"whether (\S+) is still over its threshold can't be read: ", r"无法读取 \1 是否仍超过阈值："),
    (r"CloudMonitor has no value of (\S+) from the last (\S+) s", r"云监控在最近 \2 秒没有 \1 的数据"),
    (r" is (\S+), so it is still ", r" 为 \1，仍然 "),
    (r" is (\S+), so it is no longer ", r" 为 \1，不再 "),
    (r", so it is still ", "，仍然 "),
    (r", so it is no longer ", "，不再 "),
    (r"\(for a reboot\)|\bfor a reboot\b", "（支持重启）"),
    (r"\(against it\)|\bagainst it\b", "（反对重启）"),
    (r"\(no opinion\)|\bno opinion\b", "（无意见）"),
    (r"\(unknown\)|\bunknown\b", "（不明）"),
    (r"(\S+)(?: snapshots?)? in progress", r"\1 个快照进行中"),
    (r"(\S+) commands? running", r"\1 条命令运行中"),
    (r" ?\((\S+) (s|min|h|d) ago\)", lambda found: f"（{found[1]} {_UNITS[found[2]]}前）"),
    (r" ?\(in (\S+) (s|min|h|d)\)", lambda found: f"（{found[1]} {_UNITS[found[2]]}后）"),
    (r" within (?=[A-Z])", "，窗口 "),
    (r"\bnone\b", "无"),
    (r"\boff\b", "关闭"),
)


def in_chinese(fact: str) -> str:
    """Return a fact with every phrase that is known in Chinese, and Chinese punctuation between them."""
    for english, chinese in _PHRASES:
        fact = re.sub(english, chinese, fact)
    return re.sub(r", (?=[^\d])", "，", fact)
