"""From the results of a run to the notices about it. Pure.

All results of one kind make one message, however many instances they are about: a storm is one message.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.records.notices import occasions
from ecs_reboot.records.notices.escaping import one_line
from ecs_reboot.records.notices.log_link import log_link
from ecs_reboot.records.notices.notice import Kind, Message, Notice
from ecs_reboot.records.notices.occasions import Language
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings

#: The most instances that a message names; of the others it says how many they are.
MOST_NAMED = 10
#: Characters of a line; the record has the whole sentence.
MOST_CHARACTERS = 400
#: (one instance, several) by kind and language; `{name}`, `{count}` and `{seconds}` are filled in.
_TITLES: dict[Language, dict[Kind, tuple[str, str]]] = {
    "en": {
        "digest": ("seven days: {name}", "seven days, {count} digests"),
        "observed": ("{name} would have been rebooted", "{count} instances would have been rebooted"),
        "rebooting": ("{name} is being rebooted", "{count} instances are being rebooted"),
        "came_back": ("{name} came back{seconds}", "{count} instances came back"),
        "not_back": ("{name} did not come back", "{count} instances did not come back"),
        "needs_you": ("{name}: not rebooted, it needs you", "{count} reboots were refused and need you"),
        "late": ("told late: {name}", "{count} earlier notices, told late"),
    },
    "zh": {
        "digest": ("最近七天：{name}", "最近七天，{count} 份汇总"),
        "observed": ("{name} 本应重启", "{count} 台实例本应重启"),
        "rebooting": ("{name} 正在重启", "{count} 台实例正在重启"),
        "came_back": ("{name} 已恢复{seconds}", "{count} 台实例已恢复"),
        "not_back": ("{name} 未恢复", "{count} 台实例未恢复"),
        "needs_you": ("{name} 未重启，需要人工处理", "{count} 个重启请求被拒绝，需要人工处理"),
        "late": ("补发：{name}", "补发 {count} 条通知"),
    },
}
_WORDS = {
    "en": {
        "link": "Records",
        "seconds": " in {seconds:.0f} s",
        "more": "and {count} more",
        "observing": "observing: ",
    },
    "zh": {
        "link": "查看记录",
        "seconds": "，用时 {seconds:.0f} 秒",
        "more": "另有 {count} 个",
        "observing": "观察模式：",
    },
}


class Frame(NamedTuple):
    """What all notices of one run have in common."""

    language: Language
    keyword: str
    link: str
    source: str
    request_id: str
    observing: bool = False

    @classmethod
    def of(cls, settings: Settings, request_id: str, region_id: str, now: datetime) -> "Frame":
        """Return the frame of a run in the function's own region."""
        link = log_link(settings.log_project, settings.logstore, request_id, now.timestamp())
        return cls(
            settings.notify_language,
            settings.notify_keyword,
            link,
            f"/ecs-reboot/{region_id}",
            request_id,
            observing=settings.policy.mode == "observe",
        )

    def title(self, kind: Kind, count: int, name: str, seconds: float | None = None) -> str:
        """Return the title, behind the keyword by which a robot may know its messages."""
        took = _WORDS[self.language]["seconds"].format(seconds=seconds) if seconds is not None else ""
        text = _TITLES[self.language][kind][count > 1].format(name=one_line(name, 100), count=count, seconds=took)
        if self.observing and kind != "late":
            text = _WORDS[self.language]["observing"] + text
        return f"[{self.keyword}] {text}" if self.keyword else text

    def lines(self, lines: list[str]) -> tuple[str, ...]:
        """Return the first lines, and how many more there are."""
        more = len(lines) - MOST_NAMED
        told = [_WORDS[self.language]["more"].format(count=more)] if more > 0 else []
        return (*lines[:MOST_NAMED], *told)

    def message(self, kind: Kind, title: str, lines: list[str], keys: tuple[str, ...], ids: tuple[str, ...]) -> Message:
        """Return the whole message."""
        return Message(
            kind=kind,
            title=title,
            lines=self.lines(lines),
            link=self.link,
            link_text=_WORDS[self.language]["link"],
            source=self.source,
            event_id=_digest(kind, *keys),
            instance_ids=ids,
        )


def kind_of(result: Result) -> Kind | None:
    """Return what kind of notice a result makes, None where it is for the records alone."""
    return None if result.dry_run else occasions.kind_of(BY_CODE[result.code])


def compose(results: Iterable[Result], frame: Frame, known: frozenset[str] = frozenset()) -> list[Notice]:
    """Return the notices that the results make, one for each kind; nothing about what is ``known`` already."""
    told: dict[Kind, dict[str, Result]] = {}
    for result in results:
        kind = kind_of(result)
        if kind and (key := key_of(result, kind, frame.request_id)) not in known:
            told.setdefault(kind, {}).setdefault(key, result)
    return [_notice(kind, of_kind, frame) for kind, of_kind in told.items()]


def late(notices: list[Notice], frame: Frame) -> Notice:
    """Return one message for notices that did not arrive when they were made, oldest first."""
    keys = tuple(dict.fromkeys(key for notice in notices for key in notice.keys))
    ids = tuple(dict.fromkeys(instance for notice in notices for instance in notice.message.instance_ids))
    titles = [notice.message.title.removeprefix(f"[{frame.keyword}] ") for notice in notices]
    first = notices[0]
    title = frame.title("late", len(notices), titles[0]) if first.message.kind != "late" else first.message.title
    lines = list(first.message.lines) if len(notices) == 1 else titles
    return Notice(frame.message("late", title, lines, keys, ids), first.region_id, keys)


def key_of(result: Result, kind: Kind, request_id: str) -> str:
    """Name what a result would tell. Equal for the same trouble of the same instance, or region, as long as it lasts.

    A reboot is news every time; a refusal that needs a person is not.
    """
    subject = "" if BY_CODE[result.code].about != "instance" else result.instance_id
    return _digest(result.code, result.region_id, subject, "" if kind == "needs_you" else request_id)


def _notice(kind: Kind, results: dict[str, Result], frame: Frame) -> Notice:
    if kind == "digest":
        return _digest_notice(results, frame)
    lines = []
    for result in results.values():
        subject = _name(result)
        where = f" ({result.instance_id}, {result.region_id})" if subject not in ("", result.region_id) else ""
        who = one_line(f"{subject}{where}: ", MOST_CHARACTERS // 2)
        room = MOST_CHARACTERS - len(who) - 1
        lines.append(f"{who} {occasions.sentence(BY_CODE[result.code], result.reason, frame.language, room)}")
    first = next(iter(results.values()))
    title = frame.title(kind, len(results), _name(first), first.downtime_seconds)
    keys = tuple(results)
    ids = tuple(result.instance_id for result in results.values() if result.instance_id)
    return Notice(frame.message(kind, title, lines, keys, ids), first.region_id, keys)


def _digest_notice(results: dict[str, Result], frame: Frame) -> Notice:
    """Return the digest: its sentence as the title, its reasons as lines."""
    from ecs_reboot.records import digest  # noqa: PLC0415 - once a week

    first = next(iter(results.values()))
    counted = digest.read(first.evidence)
    title = frame.title("digest", 1, digest.sentence(counted, frame.language))
    lines = [one_line(line, MOST_CHARACTERS) for line in digest.reasons(counted, frame.language)]
    return Notice(frame.message("digest", title, lines, tuple(results), ()), first.region_id, tuple(results))


def _name(result: Result) -> str:
    if BY_CODE[result.code].about != "instance" or not result.instance_id:
        return result.region_id or "ecs-reboot"
    instance = result.facts.instance if result.facts else None
    return (instance.name if instance else "") or result.instance_id


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
