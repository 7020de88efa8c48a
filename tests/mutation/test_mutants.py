"""Taking a guard away is noticed. `make mutate` tries all; here every place is found, and a few are tried."""

from pathlib import Path

import pytest

import ecs_reboot
from simulation.mutants import MUTANTS, Mutant
from simulation.mutate import main

SOURCE = Path(ecs_reboot.__file__).parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_has_its_place(mutant: Mutant) -> None:
    assert (SOURCE / f"{mutant.module}.py").read_text("utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new


def test_the_claim_the_count_and_a_guard_are_missed_when_they_are_gone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["the claim is not written", "no second count", "guard not_opted_in"]) == 0
    assert "3 of 3 caught" in capsys.readouterr().out


def test_an_edit_that_changes_nothing_survives_and_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    harmless = MUTANTS[0]._replace(name="harmless", new=MUTANTS[0].old.replace("\n", "  # same\n"))
    monkeypatch.setattr("simulation.mutate.MUTANTS", (harmless,))
    assert main(["harmless", "--deliveries", "300"]) == 1
    assert "SURVIVED" in capsys.readouterr().out
