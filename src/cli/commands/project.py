"""Commands for whoever works on the project: build, check, measure, docs. They need its source tree."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Literal

import click

from cli import exit_status, options
from cli.command import Command
from cli.source_tree import ROOT, part


@click.command(cls=Command, says_its_name=True, examples=("ecs-reboot build", "ecs-reboot build --runtime python3.12"))
@options.option("runtime", "python3.10, python3.12 or host: this Python.", default="python3.10", show_default=True)
@click.option("--source", type=Path, default=ROOT / "src", help="Holds ecs_reboot/.")
@click.option("--constraints", type=Path, default=ROOT / "constraints.txt", help="The pinned versions.")
@click.option("--digests", type=Path, default=None, help="The known files; by default those of the project.")
@click.option("--cache", type=Path, default=ROOT / "build" / "wheels", help="Where fetched packages are kept.")
@click.option("--out", type=Path, default=ROOT / "build" / "function", help="Directory; the zip goes beside it.")
def build(runtime: str, source: Path, constraints: Path, cache: Path, out: Path, *, digests: Path | None) -> int:
    """Build the package that is deployed, for one runtime; check it, and run it once where that Python is here."""
    from bundle import build as bundle  # noqa: PLC0415 - each command loads what it uses
    from bundle import runtimes  # noqa: PLC0415

    wanted = runtimes.runtime(runtime)
    click.echo(f"building the package for {wanted.name} ...", err=True)
    bundle.build(wanted, source, constraints, cache, out, known=digests)
    return 0


@click.command(cls=Command, examples=("ecs-reboot simulate --deliveries 10000", "ecs-reboot simulate --episode 1000"))
@click.option(
    "--seed", type=options.Number("whole number", 0), default=1, show_default=True, help="Where all chance comes from."
)
@click.option(
    "--deliveries",
    type=options.Number("number of deliveries", 1),
    default=100_000,
    show_default=True,
    help="How many, at least.",
)
@click.option(
    "--episode",
    type=options.Number("number of an episode", 0),
    help="Run the one episode with this number, as a violation names it.",
)
@click.option("--assume-less", "less", default="", metavar="NAME", help="Take assumptions away: names, by commas.")
@click.option("--ledger", type=click.Choice(("tags", "tablestore")), help="Over one store only. Default: both in turn.")
def simulate(seed: int, deliveries: int, episode: int | None, less: str, ledger: str | None) -> int:
    """Deliver events twice, crash, lose answers, by the thousand, and watch the promises of docs/understand/safety.md.

    Where one is broken: exit status 1 and the shortest story.
    """
    from simulation.report import SimulateRequest, main  # noqa: PLC0415

    return main(SimulateRequest(seed, deliveries, episode, less, ledger or ""))


@click.command(cls=Command, examples=("ecs-reboot explore", "ecs-reboot explore --only 'tablestore, limit 1'"))
@click.option("--ledger", type=click.Choice(("tags", "tablestore")), help="Over one store only. Default: both in turn.")
@click.option("--only", default="", metavar="TEXT", help="The scenarios whose names hold this.")
@click.option("--assume-less", "less", default="", metavar="NAME", help="Take an assumption away.")
@click.option(
    "--states", "most", type=options.Number("number of states", 1), help="Of each scenario at most. Default: all."
)
@click.option(
    "--jobs",
    type=options.Number("number of processes", 1),
    default=1,
    show_default=True,
    help="How many scenarios at once; a long one takes over 10 GB.",
)
def explore(ledger: Literal["tags", "tablestore"] | None, only: str, less: str, most: int | None, jobs: int) -> int:
    """Carry out every order in which a few runs can go on, with a crash, a lost answer and a retry anywhere.

    Where a promise of docs/understand/safety.md is broken: exit status 1 and the shortest story.
    """
    from exploration.report import ExploreRequest, main  # noqa: PLC0415

    return main(ExploreRequest(ledger, only, less, most, jobs))


@click.command(
    cls=Command, examples=("ecs-reboot mutate", "ecs-reboot mutate cooldown", "ecs-reboot mutate --from 'no intent'")
)
@click.argument("names", nargs=-1)
@click.option(
    "--from", "begin", default="", metavar="NAME", help="Leave out those before it, to go on where one broke off."
)
@click.option(
    "--deliveries",
    type=options.Number("number of deliveries", 1),
    default=3000,
    help="Of the simulation, where no test fails.",
)
def mutate(names: tuple[str, ...], begin: str, deliveries: int) -> int:
    """Take every guard away, one at a time: each must be noticed. NAMES chooses among them by parts of their names."""
    part("tests/unit")
    from simulation.mutate import main  # noqa: PLC0415

    return main(names, deliveries, begin)


@click.command(cls=Command, examples=("ecs-reboot bench", "ecs-reboot bench --deployed"))
@options.switch("deployed", "Only from alarm to reboot, as deployed.")
def bench(*, deployed: bool) -> int:
    """Measure cold starts, the local cloud, and alarm to reboot against their bars; write chart, page and JSON."""
    part("docs/understand/performance.md")
    page = ("--page", "docs/understand/performance.md")
    whole = (
        ("cold starts", "-m", "bench.cold_start", "--chart", "docs/images/cold-start.svg", *page),
        ("the local cloud", "-m", "bench.local_cloud"),
    )
    last = (
        ("the package for this Python", "-m", "cli", "build", "--runtime", "host", "--out", "build/bench/function"),
        ("alarm to reboot", "-m", "bench.as_deployed", *page),
        ("shares of a processor", "-m", "bench.as_deployed", "--shares", *page),
    )
    steps = last if deployed else (*whole, *last)
    # The variable that chose is not meant for what the benchmark runs.
    environment = {**os.environ, "DEPLOYED": ""}
    failed = []
    for number, (meaning, *arguments) in enumerate(steps, start=1):
        click.echo(f"{number} of {len(steps)}: {meaning} ...", err=True)
        command = [sys.executable, "-m", "cli.step", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 - our own
        if done.returncode == exit_status.INTERRUPTED:
            raise KeyboardInterrupt
        if done.returncode:  # the others are measured all the same
            failed.append(meaning)
    if failed:
        click.echo(f"a bar was missed, or nothing could be measured: {', '.join(failed)}", err=True)
    return 1 if failed else 0


@click.command(cls=Command, examples=("ecs-reboot docs",))
def docs() -> int:
    """Write the tables of docs/ and the blocks of template.yml that follow from the code."""
    runpy.run_path(str(part("docs/generate.py")), run_name="__main__")
    from stack import offline  # noqa: PLC0415

    return offline.write_generated()
