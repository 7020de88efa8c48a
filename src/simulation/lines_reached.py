"""Which tests carry out which lines of the function: whoever takes a guard away asks those first."""

from pathlib import Path

from coverage import CoverageData

#: What makes pytest write down, for each line, the tests that carried it out.
OPTIONS = ("--cov=ecs_reboot", "--cov-context=test", "--cov-report=")
#: A test that fails is mostly one of the first. All the others are run where these notice nothing.
MOST = 150


class Reach:
    """What one run of all the tests wrote down. ``source``: where the function's modules are."""

    def __init__(self, data: Path, source: Path) -> None:
        self._data, self._source = CoverageData(str(data)), source
        self._data.read()

    def tests_of(self, module: str, text: str, edited: str) -> list[str]:
        """Return the tests that carry out a piece of a module; none where it is carried out as the module is loaded."""
        first = text[: text.index(edited)].count("\n") + 1
        lines = range(first, first + max(1, edited.rstrip("\n").count("\n") + 1))
        by_line = self._data.contexts_by_lineno(str(self._source / f"{module}.py"))
        names = dict.fromkeys(context.rpartition("|")[0] for line in lines for context in by_line.get(line, ()))
        return sorted(filter(None, names))[:MOST]
