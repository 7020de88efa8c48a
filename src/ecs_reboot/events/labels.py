"""Where labels name an instance and its region, for sources whose users choose the keys (SLS, Alertmanager)."""

from collections.abc import Iterable, Mapping
from itertools import islice

from ecs_reboot.events import region
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Field, Place
from ecs_reboot.events.parsing import UnreadableText, mapping, stated
from ecs_reboot.events.quoting import plain

#: A key that many use for something else: `east`, `prod-1`. It counts only where its value is a region ID.
_LOOSE_REGION = "region"


MAX_ROWS = 1000  # of one alert; SLS sends a hundred
_MOST_LABELS = 1000  # Prometheus's own limits are far below
_MOST_SAID = 30


def place(groups: Iterable[Field], rules: EventSettings) -> Place:
    """Return the instance that the given groups of labels name together."""
    named = [(group.path, mapping(group.value)) for group in groups]
    ids = tuple(field for path, labels in named for field in _under(labels, rules.instance_labels, path))
    return Place(
        ids=ids,
        regions=tuple(
            field
            for path, labels in named
            for field in _under(labels, rules.region_labels, path)
            if not field.path.endswith("." + _LOOSE_REGION) or region.is_listed(field.value)
        ),
        labels=() if ids else _said(labels for _, labels in named),
    )


def places(common: list[Field], rows: list[Field], rules: EventSettings) -> list[Place]:
    """Return the instances that groups of labels name: those of ``common`` hold for every one of ``rows``.

    Raises Unreadable for more rows than are read.
    """
    if len(rows) > MAX_ROWS:
        raise UnreadableText("too_large", f"the alert has {len(rows)} rows; at most {MAX_ROWS} are read", rows[0].path)
    found = [place([*common, row], rules) for row in rows if _under(mapping(row.value), rules.instance_labels, "")]
    if found:
        return found
    alone = place(common, rules)
    return [alone if alone.ids or not rows else alone._replace(labels=place([*common, *rows], rules).labels)]


def identity(labels: Mapping[str, object]) -> str:
    """Return a text that is equal for equal labels, whatever their order; empty for none, or for far too many."""
    if len(labels) > _MOST_LABELS:
        return ""
    return ",".join(f"{plain(key)}={plain(labels[key])}" for key in sorted(labels))


def _said(groups: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the names of labels that a sentence may list where none of them holds an instance ID."""
    return tuple(dict.fromkeys(plain(key) for labels in groups for key in islice(labels, _MOST_SAID)))


def _under(labels: Mapping[str, object], keys: tuple[str, ...], path: str) -> list[Field]:
    return [Field(f"{path}.{key}", labels[key]) for key in keys if key in labels and stated(labels[key])]
