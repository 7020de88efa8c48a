"""Commands for the stack of template.yml, `validate` to `remove`, and `acceptance`, which tries it on an account."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cli import exit_status, options, source_tree
from cli.command import Command

_GOES_ON = "stopped looking; what is under way goes on by itself: the same command again takes it up"


def _at(*decorators: options.Decorator) -> options.Decorator:
    """Take which stack to look at, and more."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        taken: tuple[options.Decorator, ...] = (options.region, options.stack, options.endpoint, options.template)
        for decorator in reversed((*taken, *decorators)):
            function = decorator(function)
        return function

    return decorate


def _online(clients: Any, verb: str, **given: Any) -> int:
    from stack import offline, online  # noqa: PLC0415 - each command loads what it uses

    template = given.pop("template")
    if "package" in given:  # to deploy
        given["template"] = _template(template)
        given["package"] = Path(given["package"]) if given["package"] else online.PACKAGE
    return online.run(online.StackOptions(verb=verb, **given), clients, offline.say, offline.tell)


def _template(path: str) -> Path:
    """Return the template that is named, or the project's. Raises Mistake where there is no such file."""
    if path and not Path(path).is_file():
        raise options.Mistake(f"--template: {path} is not there, or is no file")
    return Path(path) if path else source_tree.part("template.yml")


def _can_be_built(runtime: str) -> None:
    """Check what `build` will be given next; '' leaves it to `build`. Raises BuildError."""
    from bundle import runtimes  # noqa: PLC0415 - each command loads what it uses

    if runtime:
        runtimes.interpreter(runtimes.runtime(runtime))


@click.command(cls=Command, examples=("ecs-reboot validate",))
@options.template
def validate(template: str) -> int:
    """Check the template offline against the official resource schemas."""
    from stack import offline  # noqa: PLC0415

    return offline.validate(_template(template))


@click.command(cls=Command, examples=("ecs-reboot render --params \"DryRun=true ScheduleCron='0 0 4 * * *'\"",))
@options.parameters
@options.region
@options.stack
@options.template
def render(params: str, region: str, name: str, template: str) -> int:
    """Print what the template would create under given parameters."""
    from stack import offline  # noqa: PLC0415

    return offline.render(params, region, name, _template(template))


@click.command(cls=Command, examples=("ecs-reboot plain > template.json",))
@options.template
def plain(template: str) -> int:
    """Print the template as plain JSON, without anchors: for a console that takes no YAML."""
    from stack import offline  # noqa: PLC0415

    return offline.plain(_template(template))


@click.command(cls=Command, examples=("ecs-reboot policy --account 1234567890123456 > policy.json",))
@options.region
@click.option("--account", required=True, type=options.AccountId(), help="ID of the account.")
@click.option("--function", default="ecs-reboot", type=options.FUNCTION_NAME, help="The parameter FunctionName.")
def policy(region: str, account: str, function: str) -> int:
    """Print the policy that a deployer needs, as a document for RAM."""
    from stack import offline  # noqa: PLC0415

    return offline.policy(region, account, function)


@click.command(
    cls=Command,
    interrupted=_GOES_ON,
    broken_pipe=exit_status.FAILED,
    examples=(
        "ecs-reboot deploy --plan",
        "ecs-reboot deploy --params \"DryRun=true AlarmToken='a long secret'\"",
        "ecs-reboot deploy --endpoint http://127.0.0.1:8080    # into a local cloud",
    ),
)
@_at(
    options.parameters,
    options.option("package", "The built package; without: build/function.zip."),
    options.option("bucket", "Bucket for the package; without: inside the template, or one of its own."),
    options.switch("plan", "Only say what would change."),
    click.option("--check", is_flag=True, help="Only check the parameters: no cloud is asked, no package needed."),
    click.option("--reach", is_flag=True, help="With --check: then also the credentials, the region and the stack."),
    options.runtime_to_check,
)
@click.pass_obj
def deploy(clients: Any, /, *, check: bool, reach: bool, runtime: str, **given: Any) -> int:
    """Create or update the stack, and follow it. Parameters that are not given stay as they are."""
    if not check:
        return _online(clients, "deploy", **given)
    from stack import offline  # noqa: PLC0415

    _can_be_built(runtime)
    status = offline.check(given["params"], _template(given["template"]))
    return _online(clients, "reach", **given) if reach else status


@click.command(cls=Command, interrupted=_GOES_ON, examples=("ecs-reboot status --stack ecs-reboot",))
@_at()
@click.pass_obj
def status(clients: Any, /, **given: Any) -> int:
    """Print how the stack stands, what it has and what it gave out."""
    return _online(clients, "status", **given)


@click.command(
    cls=Command,
    interrupted="interrupted",
    examples=(
        "ecs-reboot logs --minutes 120",
        "ecs-reboot logs --query 'code: blast_radius'",
        "ecs-reboot logs --minutes 10080 --records week.jsonl && ecs-reboot digest --records week.jsonl",
    ),
)
@_at(
    options.option(
        "minutes", "How far back.", type=options.Number("number of minutes", 1), default=60, show_default=True
    ),
    options.option("query", "A query of the log service.", default="*"),
    options.switch("function", "The function's own output, instead of the records."),
    options.option("records", "Write the records to this file, for digest, explain and replay."),
)
@click.pass_obj
def logs(clients: Any, /, **given: Any) -> int:
    """Print the records of the last while, or write them to a file."""
    return _online(clients, "logs", **given)


@click.command(
    cls=Command,
    interrupted="interrupted",
    examples=("ecs-reboot ledger show", "ecs-reboot ledger show i-bp1a2b3c4d5e6f7g8h9i"),
)
@click.argument("verb", type=click.Choice(("show",)))
@click.argument("instance", required=False, default="", envvar="INSTANCE")
@_at()
@click.pass_context
def ledger(ctx: click.Context, /, verb: str, **given: Any) -> int:  # noqa: ARG001 - there is one so far
    """Show what counts in the region, then the entry of each instance, newest first; or that of one instance."""
    from ecs_reboot.events.instance_id import complaint  # noqa: PLC0415

    if given["instance"] and (wrong := complaint(given["instance"])):
        by_variable = ctx.get_parameter_source("instance") is ParameterSource.ENVIRONMENT
        command = "make ledger" if by_variable else "ecs-reboot ledger show"
        raise options.Mistake(f"INSTANCE {given['instance']!r} {wrong}: `{command}` alone lists all that are known")
    return _online(ctx.obj, "ledger", **given)


@click.command(cls=Command, examples=("ecs-reboot doctor",))
@_at()
@click.pass_obj
def doctor(clients: Any, /, **given: Any) -> int:
    """Say what will and will not work tonight. Changes nothing."""
    return _online(clients, "doctor", **given)


@click.command(
    cls=Command,
    interrupted=_GOES_ON,
    broken_pipe=exit_status.FAILED,
    examples=("ecs-reboot remove", "ecs-reboot remove --logs --forget"),
)
@_at(options.switch("logs", "Delete the logs too."), options.switch("forget", "Delete the ledger's table too."))
@click.pass_obj
def remove(clients: Any, /, **given: Any) -> int:
    """Delete the stack. Its logs and its ledger stay, unless asked otherwise."""
    return _online(clients, "remove", **given)


@click.command(
    cls=Command,
    interrupted="interrupted: what was made stands; the same command again goes on, and removes it at the end",
    broken_pipe=exit_status.FAILED,
    examples=(
        "ecs-reboot acceptance --region cn-hangzhou --instance i-bp1throwaway",
        "ecs-reboot acceptance --instance i-bp1throwaway --only clock,dry-run-code",
    ),
)
@options.region
@click.option(
    "--name",
    "--stack",
    default="er-acceptance",
    envvar="STACK",
    show_envvar=True,
    type=options.STACK_NAME,
    help="The stack it makes.",
)
@options.endpoint
@options.template
@options.option("instance", "The throwaway instance that is rebooted.")
@options.option("contact-group", "A contact group of CloudMonitor, for the alarm.")
@options.option("only", "Names of checks, by commas; without: all.")
@options.option("package", "The built package; without: build/function.zip.")
@options.option("report", "Where the report goes.", default="build/acceptance/report.md", show_default=True)
@options.switch("yes", "Do not ask before it acts.")
@options.switch("keep", "Leave the stack standing.")
@click.option("--check", is_flag=True, help="Only check what is given, the credentials and that the instance is there.")
@options.runtime_to_check
@click.pass_obj
def acceptance(clients: Any, /, *, check: bool, runtime: str, **given: Any) -> int:
    """Check on an account what no document says: deploys a stack, reboots ONE instance, removes everything.

    What only reads comes first; each check that acts says what it is about to do, and asks. A run that was interrupted
    goes on where it stopped. The report has no secrets and no IDs: please attach it to an issue.
    """
    from acceptance.run import AcceptanceRequest, AcceptanceRun, UnknownCheck, chosen  # noqa: PLC0415 - each command loads what it uses
    from stack import offline, online  # noqa: PLC0415
    from stack.clients import Clients  # noqa: PLC0415

    report, only = Path(given["report"]), tuple(filter(None, given["only"].split(",")))
    mistakes = list(filter(None, (_not_rebootable(given["instance"]),)))
    if report.is_dir():
        mistakes.append(f"the report {report} is a directory: name a file")
    try:
        chosen(only)
    except UnknownCheck as error:
        mistakes.append(f"ONLY: {error}")
    if mistakes:
        raise options.Mistake("\n".join(mistakes))
    if check:
        _can_be_built(runtime)
    asked = AcceptanceRequest(
        instance=given["instance"],
        name=given["name"],
        template=_template(given["template"]),
        package=Path(given["package"]) if given["package"] else online.PACKAGE,
        journal=report.with_name(f"{given['region']}-{given['instance']}.json"),
        report=report,
        contact_group=given["contact_group"],
        only=only,
        keep=given["keep"],
    )
    clients = clients or Clients(given["region"], given["endpoint"])
    run = AcceptanceRun(asked, clients, say=offline.say, tell=offline.tell, allow=_asker(yes=given["yes"]))
    return run.check() if check else run.run()


def _not_rebootable(instance: str) -> str:
    """Return what is wrong with the instance for an acceptance run; '' if nothing is."""
    from ecs_reboot.events.instance_id import complaint  # noqa: PLC0415

    if not instance:
        return "no instance: give --instance i-... (or INSTANCE=i-...), one that may be rebooted"
    wrong = complaint(instance)
    return wrong and f"INSTANCE {instance!r} {wrong}: give the ID of one that may be rebooted"


def _asker(*, yes: bool) -> Callable[[str], bool]:
    """Return what asks a person at the terminal; where there is none, nothing is allowed without ``yes``."""

    def ask(what: str) -> bool:
        return yes or (sys.stdin.isatty() and click.confirm(what, err=True))

    return ask
