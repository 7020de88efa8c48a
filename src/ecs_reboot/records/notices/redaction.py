"""Taking secrets out of what is written down: a service may quote our own request in its answer."""

import re

from ecs_reboot.records.notices.notice import Channel

#: Shorter parts of an address are words (`send`, `robot`), not secrets.
_LEAST = 6


def redacted(text: str, channel: Channel) -> str:
    """Return the text with every part of the channel's address after its host, and its secret, as asterisks."""
    _, _, rest = channel.url.partition("://")
    target = rest.partition("/")[2]
    parts = {channel.url, target, channel.secret, *re.split(r"[/?&=]", target)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _LEAST or (part and part in (target, channel.secret)):
            text = text.replace(part, "***")
    return text
