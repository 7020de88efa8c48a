"""The outbox as a row of the ledger's table. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from ecs_reboot.records.notices.notice import Message, Notice
from ecs_reboot.records.notices.outbox import Outbox, Waiting


def columns(outbox: Outbox) -> dict[str, int | str]:
    """Return the row's columns."""
    return {"told": _text(outbox.told), "sent": _text(outbox.sent), "waiting": _text(outbox.waiting)}


def read(row: Mapping[str, object]) -> Outbox:
    """Read the row. None, or one that is not of this version, is an empty outbox: no reboot rests on it."""
    try:
        told, sent, waiting = (json.loads(str(row[name])) for name in ("told", "sent", "waiting"))
        return Outbox(
            {str(key): float(at) for key, at in told.items()},
            {str(channel): tuple(map(float, times)) for channel, times in sent.items()},
            tuple(map(_waiting, waiting)),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Outbox()


def _waiting(values: list[Any]) -> Waiting:
    (message, region_id, keys), channel, since, not_before = values
    kind, title, lines, link, link_text, source, event_id, instance_ids = message
    made = Message(
        kind, str(title), tuple(map(str, lines)), str(link), str(link_text), str(source), str(event_id),
        tuple(map(str, instance_ids)),
    )  # fmt: skip
    return Waiting(Notice(made, str(region_id), tuple(map(str, keys))), str(channel), float(since), float(not_before))


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
