"""What holds for every test: the one Hypothesis profile, and the function's package that runs in the local cloud."""

import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest
from effort import TIMES
from hypothesis import strategies
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from packaged import function_package

#: Directories of tests in which the function runs in a process of its own.
RUN_THE_FUNCTION = (
    "acceptance",
    "cli",
    "console",
    "contract",
    "end_to_end",
    "evidence",
    "localcloud",
    "review",
    "stack",
)

#: A busy machine is no mistake of the code, so no property test is judged by time or by how much it draws. Nor is the
#: day's luck one: the examples are the same each time, unless TIMES asks for other ones and more of them.
hypothesis.settings.register_profile(
    "ecs-reboot",
    max_examples=100 * max(TIMES, 1),
    derandomize=not TIMES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("ecs-reboot")
if not TIMES:
    # Hypothesis also draws constants of the modules that are imported by then, so of what ran before. It has no setting
    # for it; tests/unit/test_draws.py notices where another version does it in another way.
    providers._get_local_constants = Constants


#: Files that make has another run of pytest take. Not --ignore: each of them would be resolved for every file there is.
LEFT_OUT = frozenset(os.environ.get("LEAVE_OUT", "").split())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what another run takes."""
    return (LEFT_OUT and collection_path.relative_to(config.rootpath).as_posix() in LEFT_OUT) or None


def pytest_configure() -> None:
    """Hear interrupts: a shell has them ignored for what it runs in the background, and our children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare what takes long where the clone is new, before any test.

    Hypothesis builds tables of Unicode, over a second. The function is packaged as for a deployment, and CODE has every
    local cloud of the tests run that; ``CODE=src`` runs the source. Make hands over an empty one where none is given.
    """
    os.environ.pop("LEAVE_OUT", None)  # a pytest that a test starts takes all that it is given
    tests = session.config.rootpath / "tests"
    folders = {item.path.relative_to(tests).parts[0] for item in session.items if item.path.is_relative_to(tests)}
    if folders.intersection(RUN_THE_FUNCTION) and not os.environ.get("CODE"):
        os.environ["CODE"] = str(function_package())
    strategies.text().validate()
    strategies.characters(codec="utf-8", categories=("L", "N")).validate()


def pytest_sessionfinish() -> None:
    """Close what the SDKs and the function keep open for their next call: connections to every local cloud so far."""
    for module, name in (("darabonba.core", "DaraCore"), ("Tea.core", "TeaCore")):
        if module in sys.modules:
            core = getattr(sys.modules[module], name)
            for pools in (core.http_adapter, core.https_adapter, *core._sessions.values()):
                pools.close()
    for path, loaded in list(sys.modules.items()):
        if path.startswith("ecs_reboot.") and hasattr(loaded, "_connections"):
            loaded._connections.close()
