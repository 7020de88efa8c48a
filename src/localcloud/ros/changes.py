"""What an update would change: the answer of PreviewStack."""

import json
from collections.abc import Iterator
from typing import Any

from cloud_languages.template.expression import evaluate
from cloud_languages.template.render import Preview, RenderedStack
from localcloud.ros.stacks import Stack


def changes(decided: RenderedStack, found: Stack | None) -> Iterator[dict[str, Any]]:
    """Yield a row for each resource of the plan, and for each that goes."""
    standing = found.standing if found else {}
    scope = Preview(decided)
    for resource in decided.resources:
        properties = evaluate(resource.properties, scope)
        row = {
            "LogicalResourceId": resource.name,
            "ResourceType": resource.type,
            "Properties": json.loads(json.dumps(properties)),
        }
        if resource.name not in standing:
            yield {**row, "Action": "Add"}
        elif evaluate(standing[resource.name].planned.properties, _Before(found, decided)) != properties:
            yield {**row, "Action": "Modify", "Replacement": "Maybe"}
        else:
            yield {**row, "Action": "None"}
    wanted = {resource.name for resource in decided.resources}
    for name, gone in standing.items():
        if name not in wanted:
            yield {"LogicalResourceId": name, "ResourceType": gone.planned.type, "Action": "Remove"}


class _Before:
    """The scope of what stands, with attributes left open as in a preview, so that the two can be compared."""

    def __init__(self, found: Stack | None, decided: RenderedStack) -> None:
        assert found is not None
        self._found, self._preview = found, Preview(decided)

    def ref(self, name: str) -> Any:
        return self._found.values.get(name, f"<{name}>")

    def attribute(self, resource: str, name: str) -> Any:
        return self._preview.attribute(resource, name)

    def condition(self, name: str) -> bool:
        return self._found.conditions[name]
