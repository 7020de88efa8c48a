"""What can be done with the template without a cloud: check it, show it, write what of it follows from the code."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from cloud_languages.template import document
from cloud_languages.template.parameters import WrongParameters, bind
from cloud_languages.template.render import plan, rendered
from stack import checks, deployer, generate
from stack.checks import chosen
from stack.code_parameters import CODE
from terminal.key_values import key_values
from terminal.printable import write_error, write_line

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yml"


def say(line: str) -> None:
    """Write a line of progress, or a complaint, to standard error."""
    write_error(line)
    sys.stderr.flush()


def tell(text: str) -> None:
    """Write what was asked for to standard output."""
    write_line(text)


def validate(path: Path = TEMPLATE) -> int:
    """Check a template against the official schemas, and that its generated blocks are up to date."""
    findings = checks.check(document.load(path))
    for finding in findings:
        say(str(finding))
    if findings:
        say(f"{path.name}: {len(findings)} {'mistake' if len(findings) == 1 else 'mistakes'}")
        return 1
    if path == TEMPLATE and (stale := _stale()):
        say(f"{', '.join(stale)}: the generated blocks are not up to date: run `make docs`")
        return 1
    tell(f"{path.name}: {len(document.load(path)['Resources'])} resources, no mistakes")
    return 0


def _stale() -> list[str]:
    pages: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("template.yml", generate.template_text),
        ("docs/operate/permissions.md", generate.permissions_page),
    )
    return [name for name, write in pages if write(text := (ROOT / name).read_text(encoding="utf-8")) != text]


def write_generated() -> int:
    """Write the generated blocks of template.yml and docs/operate/permissions.md."""
    for path in generate.write(ROOT):
        tell(f"wrote {path.relative_to(ROOT)}")
    return 0


def policy(region: str, account: str, function: str) -> int:
    """Print the policy that a deployer needs, as a document for RAM."""
    names = {"region": region, "account": account, "function": function}
    tell(json.dumps(deployer.policy(**names), indent=2))
    return 0


def plain(path: Path = TEMPLATE) -> int:
    """Print the template as plain JSON, without anchors."""
    tell(document.as_json(document.load(path)))
    return 0


def check(parameters: str, path: Path = TEMPLATE) -> int:
    """Check the parameters of a deployment by themselves. Raises UsageError, WrongParameters with all mistakes."""
    template, given = document.load(path), key_values("PARAMS", parameters)
    findings = list(chosen.check({name: text for name, text in given.items() if name in template["Parameters"]}))
    try:
        bind(template, {name: checks.EXAMPLE_PARAMETERS[name] for name in CODE} | given)
    except WrongParameters as error:
        told = {finding.path for finding in error.findings}
        findings = [*error.findings, *(finding for finding in findings if finding.path not in told)]
    if findings:
        raise WrongParameters(findings)
    return 0


def render(parameters: str, region: str, stack: str, path: Path = TEMPLATE) -> int:
    """Print what would be created under parameters. Raises UsageError, WrongParameters, CircularTemplate."""
    template = document.load(path)
    given = {name: checks.EXAMPLE_PARAMETERS[name] for name in CODE} | key_values("PARAMS", parameters)
    pseudo = checks.EXAMPLE_PSEUDO | {"ALIYUN::Region": region, "ALIYUN::StackName": stack}
    decided = plan(template, given, pseudo)
    made = rendered(decided)
    off = sorted(name for name, holds in decided.conditions.items() if not holds)
    tell(yaml.dump(made, Dumper=generate.Plain, sort_keys=False, allow_unicode=True, width=160))
    say(
        f"{len(decided.resources)} of {len(template['Resources'])} resources; conditions that are off: {', '.join(off)}"
    )
    findings = chosen.named(checks.check_rendered(made["Resources"]), template["Parameters"])
    for finding in findings:
        say(str(finding))
    return 1 if findings else 0
