"""Which outcome is told in the chat, as what kind of notice, in which words.

An outcome that is not listed and that ECS itself gave to a reboot (a code of its own) needs a person as well.
"""

from typing import Literal, NamedTuple

from ecs_reboot.records.notices.notice import Kind

Language = Literal["en", "zh"]


class Occasion(NamedTuple):
    """One row. ``of_region``: the outcome is about the whole region, however many instances it was refused for."""

    kind: Kind
    en: str
    zh: str
    of_region: bool = False

    def sentence(self, language: Language) -> str:
        """Return what happened and what to do, in the operator's language."""
        return self.zh if language == "zh" else self.en


OCCASIONS: dict[str, Occasion] = {
    "accepted": Occasion("rebooting", "ECS accepted the reboot", "ECS 已接受重启请求"),
    "recovered": Occasion("came_back", "it went down and is Running again", "实例已重启并恢复运行"),
    "still_rebooting": Occasion(
        "not_back", "it is still going down or coming up; look at it", "仍在停止或启动中，请查看"
    ),
    "stayed_down": Occasion("not_back", "it is Stopped; start it and look why", "实例处于已停止状态，请启动并排查"),
    "unproven": Occasion("not_back", "nothing shows that it went down; look at it", "没有迹象表明实例已重启，请查看"),
    "accepted_unconfirmed": Occasion(
        "not_back", "ECS' answer was lost; look whether it rebooted", "ECS 的应答丢失，请确认实例是否已重启"
    ),
    "attempts_exhausted": Occasion(
        "needs_you",
        "rebooting did not help; find the cause, then reset the instance",
        "多次重启未能解决，请排查原因后重置该实例",
    ),
    "suspended": Occasion(
        "needs_you",
        "reboots in a row left their instances down; find the cause, then resume the region",
        "连续多次重启后实例未恢复，请排查原因后恢复该地域",
        of_region=True,
    ),
    "storm_began": Occasion(
        "needs_you",
        "a storm: many instances are asked for at once, so reboots are held back; look for the common cause",
        "告警风暴：大量实例同时请求重启，已暂停重启，请查找共同原因",
        of_region=True,
    ),
    "tags_full": Occasion(
        "needs_you", "the instance takes no further tag; remove one", "实例标签数量已满，请删除一个标签"
    ),
    "no_credentials": Occasion(
        "needs_you", "the function has no role; set one", "函数没有可用角色，请配置", of_region=True
    ),
}
ECS_REFUSED = Occasion("needs_you", "ECS refused; see the reason", "ECS 拒绝了请求，请查看原因")
RIGHTS_MISSING = Occasion(
    "needs_you", "a right is missing or the credentials are refused", "缺少权限或凭证被拒绝", of_region=True
)
