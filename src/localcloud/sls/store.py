"""Projects, their logstores and what was written to them, in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from localcloud.sls.errors import SlsError
from localcloud.sls.protobuf import LogGroup


class LogEntry(NamedTuple):
    """One stored log: when it was written, when it says it was made, its fields with topic, source and tags."""

    written_at: datetime
    time: int
    time_ns: int
    fields: dict[str, str]


class LogStores:
    """The logstores of one account, each a list in the order of writing."""

    def __init__(self, projects: Mapping[str, Sequence[str]]) -> None:
        self._projects: dict[str, dict[str, list[LogEntry]]] = {
            project: {logstore: [] for logstore in logstores} for project, logstores in projects.items()
        }

    def projects(self) -> tuple[str, ...]:
        """Return the names of all projects."""
        return tuple(self._projects)

    def logstores(self, project: str) -> tuple[str, ...]:
        """Return the names of a project's logstores; raises ``SlsError`` (ProjectNotExist)."""
        return tuple(self._project(project))

    def logstore(self, project: str, logstore: str) -> list[LogEntry]:
        """Return the logs of one logstore; raises ``SlsError`` (ProjectNotExist, LogStoreNotExist)."""
        entries = self._project(project).get(logstore)
        if entries is None:
            raise SlsError("LogStoreNotExist", f"logstore {logstore} does not exist.")
        return entries

    def append(self, project: str, logstore: str, group: LogGroup, written_at: datetime) -> None:
        """Add the logs of a group, all at once."""
        around = {"__topic__": group.topic, "__source__": group.source}
        around.update((f"__tag__:{key}", value) for key, value in group.tags)
        self.logstore(project, logstore).extend(
            LogEntry(written_at, log.time, log.time_ns, {**around, **dict(log.contents)}) for log in group.logs
        )

    def search(
        self, project: str, logstore: str, start: int, end: int, wanted: Callable[[LogEntry], bool]
    ) -> list[LogEntry]:
        """Return the logs with start <= time < end, oldest first, for which ``wanted`` is true."""
        return sorted(
            (entry for entry in self.logstore(project, logstore) if start <= entry.time < end and wanted(entry)),
            key=lambda entry: (entry.time, entry.time_ns),
        )

    def create_project(self, project: str) -> None:
        """Make an empty project; raises ``SlsError`` (ProjectAlreadyExist)."""
        if project in self._projects:
            raise SlsError("ProjectAlreadyExist", f"The Project already exists : {project}")
        self._projects[project] = {}

    def create_logstore(self, project: str, logstore: str) -> None:
        """Make an empty logstore; raises ``SlsError`` (ProjectNotExist, LogStoreAlreadyExist)."""
        if logstore in self._project(project):
            raise SlsError("LogStoreAlreadyExist", f"logstore {logstore} already exists")
        self._project(project)[logstore] = []

    def delete_project(self, project: str) -> None:
        """Take a project away with all that was written to it; raises ``SlsError`` (ProjectNotExist)."""
        self._project(project)
        del self._projects[project]

    def delete_logstore(self, project: str, logstore: str) -> None:
        """Take a logstore away with its logs; raises ``SlsError`` (ProjectNotExist, LogStoreNotExist)."""
        self.logstore(project, logstore)
        del self._project(project)[logstore]

    def _project(self, project: str) -> dict[str, list[LogEntry]]:
        try:
            return self._projects[project]
        except KeyError:
            raise SlsError("ProjectNotExist", f"The Project does not exist : {project}") from None
