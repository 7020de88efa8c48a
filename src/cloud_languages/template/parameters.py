"""Parameters of a template: what each may be, and the values that a deployment gives them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloud_languages.finding import Finding, nearest
from cloud_languages.template.document import Document

TYPES = ("String", "Number", "Boolean", "CommaDelimitedList", "Json")


class WrongParameters(ValueError):
    """Parameters that the template does not take. ``findings`` holds all mistakes."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def bind(document: Document, given: Mapping[str, str]) -> dict[str, Any]:
    """Give every parameter its value: the given text or the default, in its type. Raises WrongParameters."""
    declared = document.get("Parameters", {})
    findings = [
        Finding(f"Parameters.{name}", given[name], f"the template has no such parameter{nearest(name, declared)}")
        for name in given
        if name not in declared
    ]
    values = {}
    for name, declaration in declared.items():
        if name not in given and "Default" not in declaration:
            findings.append(Finding(f"Parameters.{name}", None, "it has no default: give it a value"))
            continue
        value = given.get(name, declaration.get("Default"))
        try:
            values[name] = typed(value, declaration)
        except ValueError:
            findings.append(Finding(f"Parameters.{name}", value, f"it is no {declaration.get('Type')}"))
            continue
        if declaration.get("NoEcho"):
            findings += [
                Finding(mistake.path, "***", mistake.remedy) for mistake in mistakes(name, values[name], declaration)
            ]
        else:
            findings += mistakes(name, values[name], declaration)
    if findings:
        raise WrongParameters(findings)
    return values


def typed(value: Any, declaration: Mapping[str, Any]) -> Any:
    """Return a value as the parameter's type has it. Raises ValueError."""
    kind = declaration.get("Type")
    if kind == "Number" and isinstance(value, str):
        number = float(value)
        return int(number) if number.is_integer() else number
    if kind == "Boolean" and isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise ValueError(value)
        return value.lower() == "true"
    if kind == "CommaDelimitedList" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def mistakes(name: str, value: Any, declaration: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what a value breaks of its parameter's bounds. A default of null skips the checks, as ROS documents."""
    path = f"Parameters.{name}"
    allowed, pattern = declaration.get("AllowedValues"), declaration.get("AllowedPattern")
    if value is None:
        return
    if declaration.get("Type") == "Number" and (isinstance(value, bool) or not isinstance(value, (int, float))):
        yield Finding(path, value, "it is a Number: give digits")
        return
    if declaration.get("Type") == "String" and not isinstance(value, str):
        yield Finding(path, value, "it is a String: put it into quotation marks")
        return
    if allowed is not None and value not in allowed:
        yield Finding(path, value, f"give one of {', '.join(map(str, allowed))}")
    if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern, value):
        yield Finding(path, value, str(declaration.get("ConstraintDescription") or f"it must match {pattern}"))
    length = len(value) if isinstance(value, str) else None
    for bound, size in (("MinValue", value), ("MaxValue", value), ("MinLength", length), ("MaxLength", length)):
        limit = declaration.get(bound)
        if limit is None or not isinstance(size, (int, float)):
            continue
        if size < limit if bound.startswith("Min") else size > limit:
            yield Finding(path, value, f"{bound} is {limit}")
