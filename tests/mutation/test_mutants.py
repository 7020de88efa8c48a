"""Taking a guard away is noticed. `make mutate` tries all; here every place is found, and a few are tried."""

from pathlib import Path

import pytest
from coverage import CoverageData

import ecs_reboot
from cli.program import main as command
from simulation.lines_reached import Reach
from simulation.mutants import MUTANTS, Mutant
from simulation.mutate import failing, main, simulated

SOURCE = Path(ecs_reboot.__file__).parent
#: Of the tests that `make mutate` runs, these: the mutants below are caught by them, or by the simulation.
FEW = ("tests/unit/test_claims.py", "tests/unit/test_policy.py")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_has_its_place(mutant: Mutant) -> None:
    assert (SOURCE / f"{mutant.module}.py").read_text("utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new


def test_what_is_missed_is_caught_and_an_edit_that_changes_nothing_survives_and_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = {"the claim is not written", "no second count", "guard not_opted_in"}
    harmless = MUTANTS[0]._replace(name="harmless", new=MUTANTS[0].old.replace("\n", "  # same\n"))
    tried = [mutant for mutant in MUTANTS if mutant.name in missed]
    done_before = harmless._replace(name="done before")
    monkeypatch.setattr("simulation.mutate.MUTANTS", (done_before, *tried, harmless))
    monkeypatch.setattr("simulation.mutate.TESTS", FEW)
    assert main(deliveries=300, begin="guard") == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["caught"] * len(missed) + ["SURVIVED", f"{len(missed)}"]
    assert told[-1].startswith(f"{len(missed)} of {len(missed) + 1} caught, ")


@pytest.mark.parametrize("wrong", [("guard", "cooldwon"), ("--from", "cooldwon")])
def test_a_name_that_no_mutant_holds_is_a_mistake_and_not_all_caught(
    capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    assert command(["mutate", *wrong]) == 2
    told = capsys.readouterr()
    assert "'cooldwon': no mutant's name holds this; the nearest: guard cooldown;" in told.err
    assert not told.out


def test_what_waits_for_ever_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.mutate.SECONDS", 0.001)
    assert failing(tmp_path, ["tests"]) == "the tests did not end within 0.001 s"
    assert simulated(tmp_path, 1) == "the simulation did not end within 0.001 s"


def test_the_tests_that_carry_out_a_line_are_those_that_did(tmp_path: Path) -> None:
    module, data = tmp_path / "policy" / "some.py", CoverageData(str(tmp_path / "data"))
    for name, lines in (("tests/a.py::test_one|run", (1, 2)), ("tests/a.py::test_two|run", (2, 3)), ("", (1,))):
        data.set_context(name)
        data.add_lines({str(module): lines})
    data.write()
    reach, text = Reach(tmp_path / "data", tmp_path), "first\nsecond\nthird\n"
    assert reach.tests_of("policy/some", text, "second") == ["tests/a.py::test_one", "tests/a.py::test_two"]
    assert reach.tests_of("policy/some", text, "second\nthird\n") == ["tests/a.py::test_one", "tests/a.py::test_two"]
    assert reach.tests_of("policy/some", text, "third\n") == ["tests/a.py::test_two"]
    assert reach.tests_of("policy/other", text, "first\n") == []
