"""One package for this interpreter, built by the real command and shared by all tests, whichever worker they run in."""

from pathlib import Path

import pytest
from packaged import function_package


@pytest.fixture(scope="session")
def package() -> Path:
    """The directory of the built package; its zip lies beside it."""
    return function_package()
