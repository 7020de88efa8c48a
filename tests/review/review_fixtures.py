"""One recorded night for all tests here."""

from collections.abc import Iterator

import pytest
from recorded_night import Night, night


@pytest.fixture(scope="session")
def recorded() -> Iterator[Night]:
    monkeypatch = pytest.MonkeyPatch()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield night()
    monkeypatch.undo()
