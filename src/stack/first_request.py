"""The command that sends a first request: the stack's output ``TestCommand``, or one that reaches a local cloud."""

import shlex
import urllib.parse


def reaching(command: str, endpoint: str) -> str:
    """Return the command for where the stack is: as the template gives it, or by curl at an address of all services.

    The template's ends with the request, and its path names the function: ``.../functions/NAME/invocations``.
    """
    if not endpoint:
        return command
    words = shlex.split(command)
    function = next(word for word in words if "/functions/" in word).rpartition("/functions/")[2].partition("/")[0]
    address = f"{endpoint.rstrip('/')}/_local/deliveries?{urllib.parse.urlencode({'function': function})}"
    return shlex.join(["curl", "-d", words[-1], address])
