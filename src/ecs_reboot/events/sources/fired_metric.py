"""The metric that a CloudMonitor alarm fired on, with its condition: what CloudMonitor can be asked about again."""

import re
from collections.abc import Mapping

from ecs_reboot.events.parsing import UnreadableText, embedded, mapping, text
from ecs_reboot.events.sources import dimensions
from ecs_reboot.model import Metric

_NAMESPACES = ("namespace", "metricProject")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_CONDITION = re.compile(r"\$(Average|Maximum|Minimum|Sum|Value)\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)")


def read(body: Mapping[str, object], instance_id: str) -> Metric | None:
    """Return the metric of the one instance; None where the alarm does not name all of it.

    The callback's ``metricName`` is for people, ``rawMetricName`` is the metric's own; conditions that compare with
    earlier values are not read.
    """
    name = text(body.get("rawMetricName")) or text(body.get("metricName"))
    spaces = [space for key in _NAMESPACES if (space := text(body.get(key))).startswith("acs_ecs_")]
    condition = _CONDITION.fullmatch(_expression(body.get("expression")))
    named = _of_instance(body.get("dimensions"), instance_id)
    if not (_NAME.fullmatch(name) and spaces and condition and named):
        return None
    statistic, operator, threshold = condition.groups()
    return Metric(
        namespace=spaces[0],
        name=name,
        dimensions=named,
        statistic=statistic,
        operator=operator,  # type: ignore[arg-type]  # one of the pattern's
        threshold=float(threshold),
    )


def _expression(value: object) -> str:
    """Take the condition out of either form: the text itself, or JSON with one rule or several (then none counts)."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = embedded(value, "expression")
        except UnreadableText:
            return ""
    if isinstance(value, list):
        value = mapping(value[0]).get("expression") if len(value) == 1 else ""
    return text(value).strip()


def _of_instance(value: object, instance_id: str) -> tuple[tuple[str, str], ...]:
    """Return the dimensions of the one instance as the query takes them: without the user."""
    try:
        value = dimensions.read(value, "dimensions")
    except UnreadableText:
        return ()
    items = value if isinstance(value, list) else [value]
    if len(items) != 1:
        return ()
    named = {key: part.strip() for key, part in mapping(items[0]).items() if key != "userId" and isinstance(part, str)}
    return tuple(sorted(named.items())) if instance_id and named.get("instanceId") == instance_id else ()
