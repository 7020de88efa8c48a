"""Files that only a clone of the repository has: an installed package says so in a sentence."""

from pathlib import Path

from cli.options import Mistake

ROOT = Path(__file__).resolve().parents[2]


def part(name: str) -> Path:
    """Return a file of the source tree. Raises Mistake where this is an installed package."""
    path = ROOT / name
    if not path.exists():
        raise Mistake(f"this needs the project's source tree, which has {name}: run it in a clone of the repository")
    return path
