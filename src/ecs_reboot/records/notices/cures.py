"""What the person who was paged does, in Chinese: by the clauses of the cures in the table of outcomes."""

CLAUSES: dict[str, str] = {
    "look at the instance (console output, system log)": "检查实例（控制台输出、系统日志）",
    "the guest may not have come up": "系统可能没有启动",
    "wait for the sweep: it says whether the instance came back or hangs": "等待巡检：它会写明实例已恢复还是卡住",
    "nothing to do: the sweep starts it": "无需处理：巡检会启动它",
    "start it": "启动它",
    "stop it by force and start it, unless the sweep does (FORCE_REBOOT=escalate)": (
        "强制停止后再启动（FORCE_REBOOT=escalate 时由巡检完成）"
    ),
    "resume the region if it is suspended": "若地域已中止则恢复地域",
    "the sweep says when it is back": "恢复后由巡检写明",
    "the retry or the sweep tells what came of it": "重试或巡检会写明结果",
    "renew or pay": "续费或付款",
    "the event lies in the failure queue": "事件保存在失败队列中",
    "add funds": "充值",
    "look at its disks": "检查实例的磁盘",
    "enable the key in KMS and authorize ECS to use it": "在 KMS 中启用密钥并授权 ECS 使用",
    "`make doctor`": "`make doctor`",
    "docs/operate/permissions.md": "docs/operate/permissions.md",
    "check the role": "检查角色",
    "look up the error that the service answered": "查阅服务返回的错误",
    "remove a tag, or use LEDGER=tablestore": "删除一个标签，或使用 LEDGER=tablestore",
    "the reason names the call": "原因中写明是哪个调用",
    "reset an unreadable entry": "条目无法读取时重置它",
    "then reset it": "然后重置",
    "find the common cause": "找出共同原因",
    "then resume the region": "然后恢复地域",
    "do what the reason names as the cure": "按原因中给出的办法处理",
    "look at network, DNS and the alarm rule first": "先检查网络、DNS 和报警规则",
    "give the function its role": "为函数配置角色",
    "the reason names variable, value and fix": "原因中写明变量、值和改法",
}


def in_chinese(cure: str) -> str:
    """Return a cure in Chinese. A clause without a translation stays as it is: a test says which has none."""
    return "；".join(CLAUSES.get(clause, clause) for clause in cure.split("; "))
