"""The state of one account: what every service of the local cloud works on."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from threading import RLock
from uuid import UUID

from localcloud.account.audit import Audit
from localcloud.account.authorization import Authorize, allow_everything
from localcloud.account.clock import Clock
from localcloud.account.credentials import AccountCredentials, KeyPair
from localcloud.account.deviations import DEVIATIONS
from localcloud.account.faults import Faults
from localcloud.account.fleet import Fleet, remembered
from localcloud.account.instances import Instances
from localcloud.account.limits import Throttle
from localcloud.account.platform import Platform
from localcloud.account.scaling import ScalingGroups


class Cloud:
    """One account with its clock, instances, faults, audit and credentials.

    Deterministic under its seed: request IDs and faults by chance are drawn from it, each from a series of its own. Not
    so keys: whoever could guess them could run code here. ``declared`` is the fleet it started from. Whoever reads or
    changes ``fleet`` while a server runs holds ``lock``. ``authorize`` decides who may do what.
    ``deviations`` are those in force; they may be changed.
    ``platform`` keeps the system events, ``scaling`` the scaling groups.
    """

    def __init__(self, declared: Fleet, *, seed: int, time_scale: float, key: KeyPair | None = None) -> None:
        self.declared = declared
        self.account = declared.account
        self.seed = seed
        self.lock = RLock()
        self.clock = Clock(time_scale=time_scale)
        self.audit = Audit(self.clock)
        self.credentials = AccountCredentials(self.account, key)
        self.authorize: Authorize = allow_everything
        self._on_reset: list[Callable[[], None]] = []
        self._begin()

    def deviates(self, name: str) -> bool:
        """Return whether the cloud differs from its documents in this (``deviations.DEVIATIONS``)."""
        assert name in DEVIATIONS, name
        return name in self.deviations

    @classmethod
    def from_fleet(
        cls, fleet: Fleet, *, seed: int | None = None, time_scale: float | None = None, key: KeyPair | None = None
    ) -> "Cloud":
        """Make the cloud that a fleet declares.

        ``seed`` and ``time_scale`` override the fleet's own. ``key`` is the account's, drawn where none is given.
        """
        return cls(
            fleet,
            seed=fleet.seed if seed is None else seed,
            time_scale=fleet.time_scale if time_scale is None else time_scale,
            key=key,
        )

    def reset(self) -> None:
        """Go back to the declared fleet: states, tags, faults and audit. Credentials given out stay good."""
        with self.lock:
            self.audit.clear()
            self._begin()
            for callback in self._on_reset:
                callback()

    def on_reset(self, callback: Callable[[], None]) -> None:
        """Have a service forget its own state when the cloud is reset."""
        self._on_reset.append(callback)

    def advance(self) -> None:
        """Let every state change happen, and be audited, that is due by now."""
        with self.lock:
            self.fleet.advance()
            self.scaling.advance()

    def random(self, name: str) -> Random:
        """Return a series of random numbers of its own for ``name``."""
        return Random(f"{self.seed}/{name}")  # noqa: S311 - repeatable on purpose

    def request_id(self) -> str:
        """Draw a request ID in the form that Alibaba Cloud gives them."""
        return str(UUID(int=self._request_ids.getrandbits(128), version=4)).upper()

    def _throttled_as(self) -> str:
        return "ServiceUnavailable" if self.deviates("throttled_otherwise") else ""

    def _begin(self) -> None:
        self._request_ids = self.random("request IDs")
        self.deviations = set(self.declared.deviations)
        self.fleet = Instances(
            remembered(self.declared.instances, self.clock.now()),
            self.clock,
            self.audit,
            start_time_moves=lambda: not self.deviates("start_time_stays"),
        )
        #: When a picture of an instance's console was taken last.
        self.pictured: dict[str, datetime] = {}
        self.platform = Platform(self.declared.instances, self.clock)
        self.scaling = ScalingGroups(self.declared.scaling_groups, self.fleet, self.clock, self.audit)
        throttle = Throttle(self.declared.limits, self.clock, self._throttled_as) if self.declared.limits else None
        self.faults = Faults(self.declared.faults, self.random("faults"), throttle)
