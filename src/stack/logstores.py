"""The log stores of a stack: their names, whether they are there, what is in them, and taking them away."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aliyun.log import GetLogsRequest, LogException

from stack.clients import Clients

_PAGE = 100


class Names(NamedTuple):
    """Where a stack logs by default."""

    project: str
    records: str
    function: str

    @property
    def logstores(self) -> tuple[str, str]:
        """Both logstores."""
        return self.records, self.function


def names(function: str, account: str, region: str) -> Names:
    """Return the names that the template gives."""
    return Names(f"{function}-{account}-{region}", f"{function}-records", f"{function}-function")


class LogStores:
    """The log service as the tools use it. Raises LogException for what it refuses."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of(self, project: str) -> set[str] | None:
        """Return the logstores of a project; None if there is no such project."""
        try:
            listed = self._clients.logs.list_logstore(project)
        except LogException as error:
            if error.get_error_code() == "ProjectNotExist":
                return None
            raise
        return set(listed.get_logstores())

    def read(
        self, project: str, logstore: str, start: int, end: int, query: str = "*", *, newest_first: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the logs from ``start`` to ``end`` (Unix seconds), by default oldest first."""
        offset = 0
        while True:
            request = GetLogsRequest(project, logstore, start, end, "", query, _PAGE, offset, newest_first)
            found = self._page(request)
            yield from found
            if len(found) < _PAGE:
                return
            offset += _PAGE

    def _page(self, request: GetLogsRequest) -> list[Mapping[str, Any]]:
        """Return one page. Raises LogException where the service has not looked through everything.

        The client has asked again by then (SLS, GetLogs: a search over much is answered in part at first). A part would
        look like a quiet night.
        """
        answer = self._clients.logs.get_logs(request)
        if not answer.is_completed():
            raise LogException("Incomplete", "the search does not come to its end: ask for less, by MINUTES or QUERY")
        return [log.get_contents() for log in answer.get_logs()]

    def delete(self, project: str, logstores: tuple[str, ...], *, whole_project: bool) -> bool:
        """Take logstores away with everything in them, and then the project if it is the stack's own.

        Return whether there was anything of it.
        """
        there = self.of(project)
        present = [logstore for logstore in logstores if logstore in (there or ())]
        for logstore in present:
            self._clients.logs.delete_logstore(project, logstore)
        if whole_project and there is not None:
            self._clients.logs.delete_project(project)
            return True
        return bool(present)
