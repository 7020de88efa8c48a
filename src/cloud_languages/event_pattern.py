"""EventBridge's event patterns: whether an event matches, and whether a pattern is one at all.

A pattern is a JSON object: each field names a list of values or matchers, of which one must fit the event's field; all
fields must fit; objects nest. Matchers: prefix, suffix, anything-but, exists (EventBridge's page "event pattern").
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cloud_languages.finding import Finding


def parse(text: str) -> dict[str, Any]:
    """Read a pattern from JSON. Raises ValueError with what is wrong."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if not isinstance(pattern, dict) or not pattern:
        raise ValueError("a pattern is a JSON object with at least one field")
    return pattern


def mistakes(pattern: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Yield what is wrong with a pattern."""
    for field, wanted in pattern.items():
        here = f"{path}.{field}"
        if isinstance(wanted, dict):
            yield from mistakes(wanted, here)
        elif not isinstance(wanted, list) or not wanted:
            yield Finding(here, wanted, "give a list of values or matchers; a bare value matches nothing")
        else:
            for number, matcher in enumerate(wanted):
                if isinstance(matcher, dict) and (len(matcher) != 1 or next(iter(matcher)) not in _MATCHERS):
                    remedy = f"a matcher is one of {', '.join(_MATCHERS)}"
                    yield Finding(f"{here}[{number}]", matcher, remedy)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether an event matches a pattern."""
    return all(_field_matches(wanted, field, event) for field, wanted in pattern.items())


def _field_matches(wanted: Any, field: str, event: Mapping[str, Any]) -> bool:
    if isinstance(wanted, dict):
        inner = event.get(field)
        return isinstance(inner, dict) and matches(wanted, inner)
    return any(_fits(matcher, field, event) for matcher in wanted)


def _fits(wanted: Any, field: str, event: Mapping[str, Any]) -> bool:
    if isinstance(wanted, dict):
        matcher, argument = next(iter(wanted.items()))
        return _MATCHERS[matcher](argument, event.get(field), field in event)
    return field in event and type(event[field]) is type(wanted) and event[field] == wanted


_MATCHERS: Mapping[str, Callable[[Any, Any, bool], bool]] = {
    "prefix": lambda argument, value, _there: isinstance(value, str) and value.startswith(argument),
    "suffix": lambda argument, value, _there: isinstance(value, str) and value.endswith(argument),
    "anything-but": lambda argument, value, there: (
        there and value not in (argument if isinstance(argument, list) else [argument])
    ),
    "exists": lambda argument, _value, there: there is bool(argument),
}
