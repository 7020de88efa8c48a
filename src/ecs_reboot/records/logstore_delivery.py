"""Records on their way to the logstore, if there is one. What goes wrong is said in the answer."""

from typing import TYPE_CHECKING, Any

from ecs_reboot.clock import Clock
from ecs_reboot.cloud.credentials import Credentials, NoCredentials
from ecs_reboot.records import stdout
from ecs_reboot.settings.settings import Settings

if TYPE_CHECKING:  # loaded only where there is a logstore
    from ecs_reboot.records.logstore import Logstore


class RecordDelivery:
    """The writes of one invocation to one logstore. ``region_id`` is the function's own."""

    def __init__(
        self, settings: Settings, credentials: Credentials | NoCredentials, region_id: str, clock: Clock
    ) -> None:
        self._settings, self._credentials = settings, credentials
        self._region_id, self._clock = region_id, clock
        self._name = f"{settings.log_project}/{settings.logstore}"
        self._written = 0
        self._failure = ""

    def send(self, records: list[dict[str, Any]], seconds: float) -> None:
        """Write the records, which are on standard output already, within ``seconds``."""
        if not self._settings.logstore or not records:
            return
        if isinstance(self._credentials, NoCredentials):
            self._failure = str(self._credentials)
            return
        from ecs_reboot.records import logstore  # noqa: PLC0415 - not needed for standard output alone

        store = self._store(self._credentials)
        try:
            self._written += store.put(records, self._clock.now(), source=self._region_id, seconds=seconds)
        except logstore.LogStoreError as error:
            self._failure = str(error)
            stdout.write(f"records did not reach the logstore {self._name}; they are above: {error}")

    def counted(self, seconds: float) -> dict[str, int] | None:
        """Count the results of the last days by code; None where there is no logstore. Raises LogStoreError."""
        if not self._settings.logstore:
            return None
        from ecs_reboot.records import digest, logstore  # noqa: PLC0415 - once a week

        if isinstance(self._credentials, NoCredentials):
            raise logstore.LogStoreError(str(self._credentials))
        return digest.counts(self._store(self._credentials), self._clock.now(), seconds)

    def _store(self, credentials: Credentials) -> "Logstore":
        from ecs_reboot.cloud import endpoints  # noqa: PLC0415 - neither is needed for standard output alone
        from ecs_reboot.records import logstore  # noqa: PLC0415

        settings = self._settings
        endpoint = settings.sls_endpoint or endpoints.url("log", self._region_id, settings.network)
        return logstore.Logstore(settings.log_project, settings.logstore, endpoint, credentials)

    def outcome(self) -> dict[str, Any]:
        """Return what the answer says about the logstore: `off`, `written` or `failed`, and how many records."""
        if not self._settings.logstore:
            return {"status": "off", "written": 0}
        outcome = {"status": "written", "written": self._written, "logstore": self._name}
        return {**outcome, "status": "failed", "message": self._failure} if self._failure else outcome
