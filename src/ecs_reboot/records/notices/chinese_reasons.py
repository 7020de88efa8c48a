"""The reasons that most notices give, in Chinese. A reason that is not here is sent as the record has it."""

import re

_FORCE = r"FORCE_REBOOT=(\w+)"
#: How a reboot is made, and by what -> Chinese.
_HOW: tuple[tuple[str, str], ...] = (
    (rf"graceful, as the request asks \({_FORCE}\)", r"按请求正常重启（FORCE_REBOOT=\1）"),
    (rf"forced, as the request asks \({_FORCE}\)", r"按请求强制重启（FORCE_REBOOT=\1）"),
    (rf"graceful, by {_FORCE}", r"正常重启（FORCE_REBOOT=\1）"),
    (rf"forced, by {_FORCE}", r"强制重启（FORCE_REBOOT=\1）"),
    (
        rf"graceful: the first attempt within the escalation window, by {_FORCE}",
        r"正常重启：首次尝试（FORCE_REBOOT=\1）",
    ),
    (rf"forced: attempt (\d+) within the escalation window, by {_FORCE}", r"强制重启：第 \1 次尝试（FORCE_REBOOT=\2）"),
)
#: What comes before, told of a reboot.
_BEFORE = {
    "ECS accepted the reboot: ": "ECS 已接受重启请求：",
    "observing, so ECS was not asked: ": "观察模式，未请求 ECS：",
}
#: A whole reason -> Chinese.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"it went down and was Running again (\S+) s after ECS accepted", r"已停机，并在 ECS 接受请求 \1 秒后恢复运行"),
    (r"it is still (\w+), (\d+) s after ECS accepted", r"ECS 接受请求 \2 秒后仍为 \1"),
    (r"it is Stopped, (\d+) s after ECS accepted", r"ECS 接受请求 \1 秒后为 Stopped"),
    (r"in (\d+) s of watching nothing showed that it went down", r"观察 \1 秒，没有迹象表明它停过机"),
)


def in_chinese(reason: str) -> str:
    """Return a reason in Chinese, '' for one of which a part is not known: of a watched reboot it has two."""
    parts = [_part(part) for part in reason.split("; ")]
    return "；".join(parts) if all(parts) else ""


def _part(reason: str) -> str:
    for english, chinese in _BEFORE.items():
        if reason.startswith(english):
            how = _translated(reason.removeprefix(english), _HOW)
            return how and chinese + how
    return _translated(reason, _REASONS)


def _translated(text: str, patterns: tuple[tuple[str, str], ...]) -> str:
    found = ((re.fullmatch(pattern, text), chinese) for pattern, chinese in patterns)
    return next((match.expand(chinese) for match, chinese in found if match), "")
