"""Examples that are the same each time: what a property test finds depends on the code, not on the day."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from effort import TIMES
from hypothesis import given, settings
from hypothesis import strategies as st


def drawn(chosen: Callable[[Callable[..., None]], Callable[..., None]]) -> list[str]:
    examples = []

    @chosen
    @given(st.text())
    def note(example: str) -> None:
        examples.append(example)

    note()
    return examples


@pytest.mark.skipif(TIMES > 0, reason="TIMES asks for other examples each time")
def test_a_property_draws_the_same_whatever_was_imported_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = drawn(settings())
    # Where Hypothesis draws constants of our modules, one example in forty is one of these.
    (tmp_path / "imported_meanwhile.py").write_text(f"TEXTS = {[f'text-{number}' for number in range(1000)]}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("imported_meanwhile")
    try:
        assert drawn(settings(max_examples=500))[: len(before)] == before
    finally:
        del sys.modules["imported_meanwhile"]


def test_other_examples_are_drawn_where_they_are_asked_for() -> None:
    fresh = settings(derandomize=False, database=None)
    assert drawn(fresh) != drawn(fresh)
