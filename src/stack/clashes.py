"""What a stack that is to be made would collide with: a role of its names, and the stack that holds it.

All that a stack makes is named after its function, so a second stack, or a mistyped name, needs another function.
"""

import re
from collections.abc import Iterator

from Tea.exceptions import TeaException

from stack.clients import Clients
from stack.retained import FUNCTION
from stack.roles import MAY_NOT, NO_ROLE, Resources
from stack.stacks import FoundStack, Stacks

#: Characters that are kept of a name that is taken: they leave room for a number behind them.
_ROOM = 22


def clash(clients: Clients, stacks: Stacks, name: str, made: Resources, pattern: str) -> str:
    """Return why the stack ``name``, not there a moment ago, can't be made from these resources; '' if it can.

    ``pattern`` is what the template takes as the name of a function.
    Raises TeaException for what is neither absence nor a missing right.
    """
    seen = {role: _seen(clients, role) for role in _properties(made, "ALIYUN::RAM::Role", "RoleName")}
    if set(seen.values()) <= {"absent"}:
        return ""
    function = next(_properties(made, "ALIYUN::FC3::Function", "FunctionName"))
    free = name if name != function and re.fullmatch(pattern, name) else f"{function[:_ROOM]}-2"
    own = f"PARAMS=FunctionName={free}"
    standing = tuple(stacks.standing())
    if any(found.name == name for found in standing):
        return ""  # another deployment has begun to make it since the caller looked
    if holder := next((found for found in standing if _function(found) == function), None):
        return (
            f"the function {function} and its roles belong to the stack {holder.name} of {clients.region}. "
            f"To change that stack: STACK={holder.name}. For a second one, give it a function of its own: {own}"
        )
    there = [role for role, how in seen.items() if how == "there"]
    if not there:
        return ""
    return (
        f"there is a role {there[0]} already, which no stack of {clients.region} holds. Delete it, or give this stack "
        f"a function of its own: {own}"
    )


def _seen(clients: Clients, role: str) -> str:
    try:
        clients.rpc("ram", "GetRole", {"RoleName": role})
    except TeaException as error:
        if error.code == NO_ROLE:
            return "absent"
        if str(error.code).startswith(MAY_NOT):
            return "hidden"
        raise
    return "there"


def _function(found: FoundStack) -> str:
    """Return the function of a stack of this project; '' for another's."""
    return str(found.parameters.get("FunctionName") or FUNCTION) if "FunctionName" in found.parameters else ""


def _properties(made: Resources, kind: str, name: str) -> Iterator[str]:
    return (str(resource["Properties"][name]) for resource in made.values() if resource["Type"] == kind)
