"""The sample events of the repository's folder ``events/``, as files that an installed package has too."""

from pathlib import Path

#: Holds one file for each event, and ``timers.yaml``.
FOLDER = Path(__file__).with_name("events")
