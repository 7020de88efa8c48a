"""The region's fleet as the tools see it, with their own rights."""

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs import Ecs
from stack.clients import Clients

#: What counting may take, and one answer. Seconds.
_COUNT_SECONDS, _ANSWER_SECONDS = 60.0, 10.0


def ecs(clients: Clients, deadline: Deadline) -> Ecs:
    """Return ECS of the region under the tools' own credentials. Raises NoCredentials."""
    keys = clients.keys()
    own = Credentials(
        access_key_id=keys.access_key_id,
        access_key_secret=keys.access_key_secret,
        security_token=keys.security_token,
    )
    return Ecs(own, deadline, endpoint=clients.endpoint, network="public", answer_seconds=_ANSWER_SECONDS)


def opted_in(clients: Clients, key: str, value: str) -> int:
    """Return how many instances of the region have the opt-in tag. Raises CloudError."""
    return ecs(clients, Deadline(SystemClock(), _COUNT_SECONDS)).count(clients.region, (key, value))
