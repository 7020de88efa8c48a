"""What holds the share of reached branches: branches alone count, and the worst files are named."""

from typing import Any

from branch_gate import judged


def report(*files: tuple[str, int, list[list[int]]]) -> dict[str, Any]:
    """Return a report as coverage writes it: of each file its branches, and those that nothing reached."""
    branches, missing = sum(count for _, count, _ in files), sum(len(lines) for *_, lines in files)
    covered = {"percent_covered": 99.0, "percent_branches_covered": 100 * (branches - missing) / max(branches, 1)}
    return {
        "totals": {"num_branches": branches, "covered_branches": branches - missing, **covered},
        "files": {
            name: {"summary": {"missing_branches": len(lines)}, "missing_branches": lines} for name, _, lines in files
        },
    }


def test_as_many_branches_as_the_bound_are_enough_and_one_less_is_not() -> None:
    assert judged(report(("a.py", 20, [[3, 4]])), 95) == []
    assert judged(report(("a.py", 19, [[3, 4]])), 95)


def test_the_files_that_miss_most_come_first_and_those_that_miss_nothing_not_at_all() -> None:
    _, *named = judged(report(("a.py", 2, [[3, 4]]), ("b.py", 2, []), ("c.py", 4, [[5, 6], [7, -1]])), 95)
    assert [line.split() for line in named] == [["2", "c.py:", "5->6", "7->-1"], ["1", "a.py:", "3->4"]]


def test_nothing_counted_is_not_enough() -> None:
    assert "branch" in judged(report(), 95)[0]
