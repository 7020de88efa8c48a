"""What a template makes under given parameters: conditions decided, functions evaluated, resources in their order.

What only exists once a resource is made (its attributes) is left as ``<Resource.Attribute>``, or is what the scope of
somebody who really makes them says (the local cloud's ROS).
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from cloud_languages.template.document import Document
from cloud_languages.template.expression import Scope, evaluate, holds, uses
from cloud_languages.template.parameters import bind


class Planned(NamedTuple):
    """A resource that a stack has under given parameters. ``needs``: what must be made before it."""

    name: str
    type: str
    properties: Any
    needs: tuple[str, ...]
    retained: bool


class RenderedStack(NamedTuple):
    """Everything a stack has under given parameters, with functions still in the properties and outputs."""

    values: Mapping[str, Any]
    conditions: Mapping[str, bool]
    resources: tuple[Planned, ...]
    outputs: Mapping[str, Any]


class CircularTemplate(ValueError):
    """Resources that wait for each other, or conditions that rest on themselves."""


def plan(document: Document, given: Mapping[str, str], pseudo: Mapping[str, str]) -> RenderedStack:
    """Decide what a stack has. ``pseudo`` gives the pseudo parameters. Raises WrongParameters, CircularTemplate."""
    return decide(document, {**bind(document, given), **pseudo})


def decide(document: Document, values: Mapping[str, Any]) -> RenderedStack:
    """Decide what a stack has under values that are taken as they are. Raises CircularTemplate."""
    conditions = conditions_of(document, values)
    declared = {
        name: declaration
        for name, declaration in document["Resources"].items()
        if conditions.get(declaration.get("Condition", ""), True)
    }
    resources = {
        name: Planned(
            name,
            declaration["Type"],
            declaration.get("Properties", {}),
            tuple(sorted(_needs(declaration, conditions) & declared.keys())),
            declaration.get("DeletionPolicy") == "Retain",
        )
        for name, declaration in declared.items()
    }
    ordered = tuple(
        resources[name] for name in in_order({resource.name: resource.needs for resource in resources.values()})
    )
    outputs = {
        name: output
        for name, output in document.get("Outputs", {}).items()
        if conditions.get(output.get("Condition", ""), True)
    }
    return RenderedStack(values, conditions, ordered, outputs)


def conditions_of(document: Document, values: Mapping[str, Any]) -> dict[str, bool]:
    """Return which conditions hold under values. Raises CircularTemplate where they rest on themselves."""
    return dict(_decided(document.get("Conditions", {}), values))


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return names, each after all that it needs. Raises CircularTemplate."""
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise CircularTemplate(f"resources wait for each other: {' -> '.join(error.args[1])}") from None


class Preview:
    """The scope of a plan before anything is made: attributes are left as ``<Resource.Attribute>``."""

    def __init__(self, decided: RenderedStack) -> None:
        self._plan = decided

    def ref(self, name: str) -> Any:
        """Return a parameter's value, or a stand-in for a resource's ID."""
        return self._plan.values.get(name, f"<{name}>")

    def attribute(self, resource: str, name: str) -> Any:
        """Return a stand-in."""
        return f"<{resource}.{name}>"

    def condition(self, name: str) -> bool:
        """Return what the plan decided."""
        return self._plan.conditions[name]


def rendered(decided: RenderedStack, scope: Scope | None = None) -> dict[str, Any]:
    """Return the resources and outputs of a plan with all functions evaluated."""
    scope = scope or Preview(decided)
    return {
        "Resources": {
            resource.name: {"Type": resource.type, "Properties": evaluate(resource.properties, scope)}
            for resource in decided.resources
        },
        "Outputs": {name: evaluate(output.get("Value"), scope) for name, output in decided.outputs.items()},
    }


class _Conditions:
    """The scope of conditions: parameters only."""

    def __init__(self, declared: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self._declared, self._values = declared, values
        self._under_way: list[str] = []

    def ref(self, name: str) -> Any:
        return self._values[name]

    def attribute(self, resource: str, name: str) -> Any:
        raise CircularTemplate(f"a condition can't read {resource}.{name}: it is decided before anything is made")

    def condition(self, name: str) -> bool:
        if name in self._under_way:
            raise CircularTemplate(f"conditions rest on themselves: {' -> '.join([*self._under_way, name])}")
        self._under_way.append(name)
        try:
            return holds(self._declared[name], self)
        finally:
            self._under_way.pop()


def _decided(declared: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    scope = _Conditions(declared, values)
    for name in declared:
        yield name, scope.condition(name)


def depends_on(declaration: Mapping[str, Any]) -> set[str]:
    """Return what a resource names in ``DependsOn``."""
    depends = declaration.get("DependsOn", [])
    return {depends} if isinstance(depends, str) else set(depends)


def _needs(declaration: Mapping[str, Any], conditions: Mapping[str, bool]) -> set[str]:
    named = depends_on(declaration)
    return named | {use.name for use in uses(taken(declaration.get("Properties", {}), conditions), "")}


def taken(value: Any, conditions: Mapping[str, bool]) -> Any:
    """Return a value with only the branches of ``Fn::If`` that the conditions take."""
    if isinstance(value, dict):
        choice = value.get("Fn::If")
        if isinstance(choice, list):
            return taken(choice[1 if conditions[choice[0]] else 2], conditions)
        return {key: taken(item, conditions) for key, item in value.items()}
    return [taken(item, conditions) for item in value] if isinstance(value, list) else value
