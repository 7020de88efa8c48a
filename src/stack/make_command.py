"""What to run next, as a command that means the same stack, and what to say where there is no stack of a name."""

import shlex

from stack.clients import Clients
from stack.stacks import Stacks

#: Stacks that are named where another one was meant.
_NAMED = 5


def make(target: str, clients: Clients, name: str, *words: str) -> str:
    """Return the call of a target for a stack, with its region, and its address where that is a local cloud's."""
    at = (f"ENDPOINT={clients.endpoint}",) if clients.endpoint else ()
    return f"`{shlex.join(('make', target, f'REGION={clients.region}', f'STACK={name}', *at, *words))}`"


def absent(stacks: Stacks, clients: Clients, name: str) -> str:
    """Say that there is no stack of the name, and which there are. One call. Raises TeaException."""
    there = [found for found in stacks.names() if found != name]
    more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
    which = f"which has {', '.join(there[:_NAMED])}{more}" if there else "which has none"
    return f"there is no stack {name} in {clients.region}, {which}"
