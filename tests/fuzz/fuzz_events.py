"""Coverage-guided fuzzing of ``events.read``: ``make fuzz [SECONDS=600]``.

Whatever the bytes are: no error, no more than ``MOST_SECONDS`` of processor time, and no reboot but of well-formed
instance IDs that stand in the event beside a word of firing, or in a request. A breach ends the run, and its input is
left in ``build/fuzz``. What was found worth keeping goes into ``tests/fuzz/corpus``, which the tests read as well.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # has no types, and is optional

with atheris.instrument_imports(include=["ecs_reboot.events"]):
    from ecs_reboot.events import reader
    from ecs_reboot.events.sources import (  # noqa: F401 - loaded lazily by the reader, so named here to be instrumented
        actiontrail,
        alertmanager,
        cms_event,
        cms_subscription,
        cms_threshold,
        eventbridge,
        grafana,
        manual,
        nightingale,
        sls,
        timer,
    )

from promises import check, check_time

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
SEEDS = ("tests/fuzz/corpus", "tests/samples", "tests/samples/field", "events")


def one_input(event: bytes) -> None:
    """Read one input and check what is promised of every input."""
    check(event, reader.read)
    check_time(event, reader.read)


def main() -> None:
    """Run for the seconds that libFuzzer's ``-max_total_time`` says."""
    found = BUILD / "corpus"
    found.mkdir(parents=True, exist_ok=True)
    seeds = [str(ROOT / seed) for seed in SEEDS]
    options = ["-max_len=16384", "-timeout=10", "-rss_limit_mb=1024", f"-artifact_prefix={BUILD}/"]
    atheris.Setup([*sys.argv, *options, str(found), *seeds], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
