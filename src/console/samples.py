"""The sample events of the source tree, as the files they are."""

from pathlib import Path

from sample_events import FOLDER

_ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"events": FOLDER, "samples": _ROOT / "tests" / "samples"}
_SUFFIXES = (".json", ".txt")


def listed() -> dict[str, list[str]]:
    """Return the names of the samples of each folder that is there."""
    return {
        folder: sorted(file.name for file in path.iterdir() if file.suffix in _SUFFIXES)
        for folder, path in FOLDERS.items()
        if path.is_dir()
    }


def read(folder: str, name: str) -> str | None:
    """Return the text of one sample; None for a name that ``listed`` does not have."""
    if name not in listed().get(folder, ()):
        return None
    return (FOLDERS[folder] / name).read_bytes().decode(errors="replace")
