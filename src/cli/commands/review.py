"""Commands that show decisions: explain, replay, digest, forecast."""

import click

from cli import options
from cli.command import Command


@click.command(
    cls=Command,
    says_its_name=True,
    files="--event",
    examples=(
        'ecs-reboot explain --event events/alarm-firing.form.txt --set "MAX_EVENT_AGE_SECONDS=0"',
        "ecs-reboot explain --records records.jsonl --instance i-bp1a2b3c4d5e6f7g8h9i",
    ),
)
@options.option("event", "File with an event: the function runs on a local cloud, in dry run.")
@options.records
@options.fleet
@options.settings
@options.option("instance", "Only this instance ID.")
def explain(**given: str) -> int:
    """Show the guards of each instance, the facts they read, and the decision that followed."""
    from review.explain import main  # noqa: PLC0415 - each command loads what it uses

    return main(settings=given.pop("set"), **given)


@click.command(
    cls=Command,
    says_its_name=True,
    files="--records",
    examples=('ecs-reboot replay --records records.jsonl --set "COOLDOWN_SECONDS=3600"',),
)
@options.records
@options.settings
def replay(records: str, **given: str) -> int:
    """Take recorded decisions again under other settings, and show what would have changed.

    Settings that are not given stay as each record holds them.
    """
    from review.replay import main  # noqa: PLC0415

    return main(records, given["set"])


@click.command(
    cls=Command,
    says_its_name=True,
    files="--records",
    examples=("ecs-reboot digest --records records.jsonl --days 14",),
)
@options.records
@options.option("days", "How many days before the newest record to look at.", default="7", show_default=True)
def digest(records: str, days: str) -> int:
    """Count what the function did, or would have done, and for what reasons."""
    from review.digest import main  # noqa: PLC0415

    return main(records, days)


@click.command(
    cls=Command,
    says_its_name=True,
    examples=(
        "ecs-reboot forecast --days 7",
        'ecs-reboot forecast --start 2026-12-01T06:00Z --timers timers.yaml --set "MAINTENANCE_WINDOWS=02:00-04:00"',
    ),
)
@options.option("days", "How many days ahead.", default="1", show_default=True)
@options.option("start", "UTC time to start at, such as 2026-12-01T06:00Z; without: now.")
@options.fleet
@options.option("timers", "File with the timers, YAML; without: the sample events/timers.yaml.")
@options.settings
def forecast(**given: str) -> int:
    """Show what the timers and windows would do in the next days, tick by tick."""
    from review.forecast import main  # noqa: PLC0415

    return main(settings=given.pop("set"), **given)
