"""The robots of an account and what they were given to say."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

#: Each service has a robot of this token, with no security setting, from the start.
DEMO_TOKEN = "demo"
MOST_MESSAGES = 1_000


class RobotCall(NamedTuple):
    """One POST to a robot. Header names are lower case; ``now`` is real time, Unix seconds."""

    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: float


class Reply(NamedTuple):
    """What a service answers; ``code`` is empty for a success, ``message`` then what is shown in the chat."""

    status: int
    body: str
    code: str = ""
    message: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = {}


class Robot:
    """One robot: its security settings, and when it was used."""

    def __init__(self, service: str, token: str, secret: str = "", keyword: str = "") -> None:
        self.service, self.token, self.secret, self.keyword = service, token, secret, keyword
        self.blocked_until = 0.0
        self._posts: deque[float] = deque()

    def posts_within(self, seconds: float, now: float) -> int:
        """Count one post, and return how many there were within ``seconds``, this one included."""
        self._posts.append(now)
        while self._posts and self._posts[0] <= now - 60:
            self._posts.popleft()
        return sum(post > now - seconds for post in self._posts)


class Chat:
    """All robots, and the messages that were taken, oldest first."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._robots = {(service, DEMO_TOKEN): Robot(service, DEMO_TOKEN) for service in services}
        self.messages: deque[dict[str, Any]] = deque(maxlen=MOST_MESSAGES)

    def declare(self, robot: Robot) -> None:
        """Add a robot, in the place of one with the same token."""
        self._robots[robot.service, robot.token] = robot

    def robot(self, service: str, token: str) -> Robot | None:
        """Return a robot, None where there is none."""
        return self._robots.get((service, token))
