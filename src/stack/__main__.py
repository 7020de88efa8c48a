"""``python -m stack VERB``: what stands behind the Makefile's targets for the stack.

The exit status is 0 when done, 1 when something is wrong with what was looked at or done, 2 when called wrongly.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from cloud_languages.template import document
from cloud_languages.template.parameters import WrongParameters
from cloud_languages.template.render import CircularTemplate, plan, rendered
from stack import checks, deployer, generate
from stack.arguments import UsageError, parameters_of
from terminal.printable import write_error, write_line

if TYPE_CHECKING:
    from stack.clients import Clients

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE, PACKAGE = ROOT / "template.yml", ROOT / "build" / "function.zip"
DEFAULT_NAME, DEFAULT_REGION = "ecs-reboot", "cn-hangzhou"


def main(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ, clients: "Clients | None" = None
) -> int:
    """Run a verb and return the exit status. ``clients`` stand in for those with the usual credentials."""
    options = _parser(environment).parse_args(arguments)
    options.clients = clients
    try:
        status: int = options.run(options)
    except (UsageError, WrongParameters) as mistake:
        _say(str(mistake))
        return 2
    except (document.UnreadableTemplate, generate.BlockMissing, CircularTemplate, OSError) as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("stopped looking; what is under way goes on by itself: the same command again takes it up")
        return 1
    return status


def _say(line: str) -> None:
    write_error(line)
    sys.stderr.flush()


def _tell(text: str) -> None:
    write_line(text)


def _validate(options: argparse.Namespace) -> int:
    path = Path(options.template)
    findings = checks.check(document.load(path))
    for finding in findings:
        _say(str(finding))
    if findings:
        _say(f"{path.name}: {len(findings)} {'mistake' if len(findings) == 1 else 'mistakes'}")
        return 1
    if path == TEMPLATE and (stale := _stale()):
        _say(f"{', '.join(stale)}: the generated blocks are not up to date: run `python -m stack generate`")
        return 1
    _tell(f"{path.name}: {len(document.load(path)['Resources'])} resources, no mistakes")
    return 0


def _stale() -> list[str]:
    pages: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("template.yml", generate.template_text),
        ("docs/permissions.md", generate.permissions_page),
    )
    return [name for name, write in pages if write(text := (ROOT / name).read_text(encoding="utf-8")) != text]


def _generate(_options: argparse.Namespace) -> int:
    for path in generate.write(ROOT):
        _tell(f"wrote {path.relative_to(ROOT)}")
    return 0


def _policy(options: argparse.Namespace) -> int:
    names = {"region": options.region, "account": options.account, "function": options.function}
    _tell(json.dumps(deployer.policy(**names), indent=2))
    return 0


def _plain(options: argparse.Namespace) -> int:
    _tell(document.as_json(document.load(Path(options.template))))
    return 0


def _render(options: argparse.Namespace) -> int:
    template = document.load(Path(options.template))
    given = {name: checks.EXAMPLE_PARAMETERS[name] for name in ("CodeBucket", "CodeObject")} | parameters_of(
        options.params
    )
    pseudo = checks.EXAMPLE_PSEUDO | {"ALIYUN::Region": options.region, "ALIYUN::StackName": options.name}
    decided = plan(template, given, pseudo)
    made = rendered(decided)
    off = sorted(name for name, holds in decided.conditions.items() if not holds)
    _tell(yaml.dump(made, Dumper=generate.Plain, sort_keys=False, allow_unicode=True, width=160))
    _say(
        f"{len(decided.resources)} of {len(template['Resources'])} resources; conditions that are off: {', '.join(off)}"
    )
    findings = checks.check_rendered(made["Resources"])
    for finding in findings:
        _say(str(finding))
    return 1 if findings else 0


def _online(options: argparse.Namespace) -> int:
    """Run what needs the cloud. Its clients are loaded only here: the offline verbs work without them."""
    from stack import online  # noqa: PLC0415

    return online.run(options, options.clients, _say, _tell)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description="The stack of template.yml.")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], int], told: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=told, description=told)
        added.set_defaults(run=run, verb=name)
        added.add_argument("--template", default=str(TEMPLATE), help="the template; default: template.yml")
        return added

    def where(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
        region = environment.get("REGION") or environment.get("ALIBABA_CLOUD_REGION_ID") or DEFAULT_REGION
        name = environment.get("STACK") or DEFAULT_NAME
        added.add_argument("--region", default=region, help="region ID (or REGION=…)")
        added.add_argument("--name", default=name, help="name of the stack (or STACK=…)")
        endpoint = environment.get("ENDPOINT", "")
        added.add_argument("--endpoint", default=endpoint, help="one address for all services: a stand-in cloud")
        return added

    policy = where(verb("policy", _policy, "print the policy that a deployer needs, as a document for RAM"))
    policy.add_argument("--account", required=True, help="ID of the account")
    policy.add_argument("--function", default=DEFAULT_NAME, help="the parameter FunctionName")
    given, told = environment.get("PARAMS", ""), "parameters: \"Key=Value Key='Value with spaces'\""
    verb("validate", _validate, "check the template offline against the official schemas")
    verb("generate", _generate, "write the generated blocks of template.yml and docs/permissions.md anew")
    verb("plain", _plain, "print the template as plain JSON, without anchors")
    where(verb("render", _render, "print what would be created under given parameters")).add_argument(
        "--params", default=given, help=told
    )
    deploy = where(verb("deploy", _online, "create or update the stack, and follow it"))
    deploy.add_argument("--params", default=given, help=told)
    deploy.add_argument("--package", default=environment.get("PACKAGE") or str(PACKAGE), help="the built package")
    deploy.add_argument("--bucket", default=environment.get("BUCKET", ""), help="bucket for the package")
    deploy.add_argument(
        "--plan", action="store_true", default=bool(environment.get("PLAN")), help="only say what would change"
    )
    where(verb("status", _online, "say how the stack stands, what it has and what it gave out"))
    logs = where(verb("logs", _online, "print the records of the last while"))
    logs.add_argument("--minutes", type=int, default=int(environment.get("MINUTES") or 60), help="how far back")
    logs.add_argument(
        "--function", action="store_true", default=bool(environment.get("FUNCTION")), help="the function's own output"
    )
    logs.add_argument("--query", default=environment.get("QUERY") or "*", help="a query of the log service")
    remove = where(verb("remove", _online, "delete the stack; logs stay"))
    remove.add_argument(
        "--logs", action="store_true", default=bool(environment.get("LOGS")), help="delete the logs too"
    )
    remove.add_argument(
        "--forget", action="store_true", default=bool(environment.get("FORGET")), help="delete the ledger's table too"
    )
    where(verb("doctor", _online, "say what will and will not work tonight; changes nothing"))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
