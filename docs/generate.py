"""Writes the tables of the documents that follow from the code, between their marks: ``make docs``.

A mark is ``<!-- table: NAME -->``; the table ends at ``<!-- end -->``. A test checks that nothing is out of date.
"""

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from alibabacloud_ecs20140526 import models

from ecs_reboot.cloud import retry
from ecs_reboot.facts.sources import SOURCES, read_by
from ecs_reboot.outcomes import OUTCOMES, Code
from ecs_reboot.policy import signs_of_life
from ecs_reboot.policy.guards import GUARDS
from ecs_reboot.records.notices.cures import in_chinese
from ecs_reboot.records.result import Result
from ecs_reboot.remediation import batch
from ecs_reboot.settings.groups import GROUPS
from ecs_reboot.settings.variable_table import VARIABLES
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import default
from localcloud.ecs.actions import ACTIONS as ECS_ACTIONS
from localcloud.ecs.parameters import COMMON
from localcloud.ecs.presentation import described

DOCS = Path(__file__).resolve().parent
_TABLE = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> Iterable[tuple[str, ...]]:
    """Yield one row for each environment variable, under the group that it belongs to."""
    yield "variable", "default", "meaning"
    for group in GROUPS:
        yield f"**{group.english}**", "", ""
        for variable in group.variables():
            yield f"`{variable.name}`", f"`{variable.default}`" if variable.default else "(empty)", variable.meaning


def guards() -> Iterable[tuple[str, ...]]:
    """Yield one row for each guard, in the order in which they are asked."""
    yield "#", "code", "kind", "what it reads", "calls of its own", "the accident it prevents"
    for number, guard in enumerate(GUARDS, 1):
        calls = "; ".join(f"{', '.join(source.calls)}: {source.cost}" for source in read_by(guard.code))
        yield str(number), f"`{guard.code}`", guard.kind, guard.reads, calls or "none", guard.prevents


def sources() -> Iterable[tuple[str, ...]]:
    """Yield one row for each fact that costs calls of its own."""
    yield "fact", "read by", "call", "cost", "setting"
    for source in SOURCES:
        yield (
            f"`{source.name}`",
            ", ".join(f"`{code}`" for code in source.guards),
            ", ".join(source.calls),
            source.cost,
            ", ".join(f"`{name}`" for name in source.setting.split(", ")),
        )


def record() -> Iterable[tuple[str, ...]]:
    """Yield one row for each field of a record."""
    yield "field", "type"
    for name, field in Result.model_fields.items():
        yield f"`{name}`", _type(field.annotation)


def outcomes() -> Iterable[tuple[str, ...]]:
    """Yield one row for each code a record can have."""
    yield "code", "action", "tried again", "pages", "meaning", "含义"
    for row in OUTCOMES:
        yield (
            f"`{row.code}`",
            row.action,
            "yes" if row.retriable else "",
            "yes" if row.pages else "",
            row.meaning,
            row.chinese,
        )


def paging() -> Iterable[tuple[str, ...]]:
    """Yield one row for each code that pages a person."""
    yield "what paged you", "means", "do"
    for row in OUTCOMES:
        if row.pages:
            yield f"`{row.code}`", row.meaning, row.cure


def paging_zh() -> Iterable[tuple[str, ...]]:
    """Yield one row for each code that pages a person, in Chinese."""
    yield "需要人工处理的代码", "含义", "处理"
    for row in OUTCOMES:
        if row.pages:
            yield f"`{row.code}`", row.chinese, in_chinese(row.cure)


def clients() -> Iterable[tuple[str, ...]]:
    """Yield one row for each client that contract tests try: what their ``client`` marks say; a fixture checks it."""
    yield "client", "version", "calls that it makes and understands", "refused; the error says what is supported"
    tried: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for path in sorted((DOCS.parent / "tests" / "contract").glob("test_*.py")):
        language = "Node.js" if path.name.startswith("test_node_") else "Python"
        for client, calls, refused in _client_marks(path):
            understood, told = tried.setdefault((client, language), ({}, {}))
            understood |= dict.fromkeys(calls)
            told |= dict.fromkeys(refused)
    for (client, language), (understood, told) in sorted(tried.items(), key=lambda row: (row[0][1], row[0][0].lower())):
        yield f"`{client}` for {language}", _version(client, language), _by_service(understood), ", ".join(told)


def _client_marks(path: Path) -> Iterable[tuple[str, list[str], list[str]]]:
    """Read the marks of a test file: client, calls, what is refused. Names in them are constants of the file."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name) and all(isinstance(item, ast.Constant) for item in node.value.elts)
    }
    for node in ast.walk(tree):
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.client":
                client, *calls = (
                    text
                    for argument in mark.args
                    for text in (
                        constants[ast.unparse(argument.value)]
                        if isinstance(argument, ast.Starred)
                        else (ast.literal_eval(argument),)
                    )
                )
                yield client, calls, [ast.literal_eval(keyword.value) for keyword in mark.keywords]


def _version(client: str, language: str) -> str:
    """Return the version that the tests install."""
    if language == "Node.js":
        return str(
            json.loads((DOCS.parent / "tests/contract/node/package.json").read_text("utf-8"))["dependencies"][client]
        )
    pins = [
        line.split("==")
        for name in ("constraints.txt", "tests/contract/ansible/requirements.txt")
        for line in (DOCS.parent / name).read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    return dict(pins)[client]


def _by_service(calls: Iterable[str]) -> str:
    grouped: dict[str, list[str]] = {}
    for call in calls:
        service, _, action = call.partition(":")
        grouped.setdefault(service, []).append(action)
    return "; ".join(
        f"{service}: {', '.join(f'`{action}`' for action in actions)}" for service, actions in grouped.items()
    )


def ecs_parameters() -> Iterable[tuple[str, ...]]:
    """Yield one row for each action of ECS: what the local cloud makes of the parameters that the SDK's model has."""
    yield "action", "honoured", "refused with `UnsupportedParameter`", "taken and ignored"
    for action, row in ECS_ACTIONS.items():
        kinds = {parameter.name: parameter.kind for parameter in row.parameters}
        names = [name for name in _names(getattr(models, f"{action}Request")) if name in kinds or name not in COMMON]
        yield (
            f"`{action}`",
            _codes(name for name in names if kinds.get(name, "ignored") not in ("refused", "ignored")),
            _codes(name for name in names if kinds.get(name) == "refused"),
            _codes(name for name in names if kinds.get(name, "ignored") == "ignored"),
        )


def ecs_fields() -> Iterable[tuple[str, ...]]:
    """Yield one row for each level of a described instance: which fields of the SDK's model are answered."""
    yield "of", "answered", "left out"
    cloud = Cloud.from_fleet(default())
    instance = next(iter(cloud.fleet))
    answered = described(instance, instance.state)
    fields = _names(models.DescribeInstancesResponseBodyInstancesInstance)
    yield (
        "`DescribeInstances`, an instance",
        _codes(name for name in fields if name in answered),
        _codes(name for name in fields if name not in answered),
    )


def _names(model: Any) -> list[str]:
    """Return the API's names of a model's fields, as its ``to_map`` writes them."""
    return list(dict.fromkeys(re.findall(r"result\['(\w+)'\]", inspect.getsource(model.to_map))))


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_STOP, _RESTART = "*Stop an instance*", "*Restart an instance*"


def waits() -> Iterable[tuple[str, ...]]:
    """Yield one row for each waiting time that a document bears on, or should: what, how long, why."""
    default = {variable.name: variable.default for variable in VARIABLES}
    yield "waits for", "how long", "because"
    yield (
        "an instance that was rebooted, before it is `hung`",
        f"`HUNG_AFTER_SECONDS`, {default['HUNG_AFTER_SECONDS']} s",
        (
            f"a restart takes 3 to 5 minutes on average, at most 20 ({_RESTART}), and ECS ends a shutdown that hangs "
            f"by force after 10 to 20 minutes ({_STOP}): what is not up by then has outlived both"
        ),
    )
    yield (
        "the next attempt on an instance",
        f"`COOLDOWN_SECONDS`, {default['COOLDOWN_SECONDS']} s",
        "longer than the wait before: what is still rebooting is not asked again",
    )
    yield (
        "an instance that started, before it may be rebooted",
        f"`GRACE_SECONDS`, {default['GRACE_SECONDS']} s",
        "no page has a figure for a guest's start; Terraform's provider has seen more than 8 minutes",
    )
    yield (
        "Running again, in the same run",
        "`VERIFY_SECONDS`, 120 s in `template.yml`",
        (
            "a run is paid for while it watches: it sees quick restarts, the sweep and state events see the others "
            f"({_RESTART}: 3 to 5 minutes)"
        ),
    )
    yield (
        "a call that ECS throttled",
        f"the next minute and {retry.AFTER_THE_MINUTE:g} to {2 * retry.AFTER_THE_MINUTE:g} s",
        (
            "calls are counted by API, account, region and minute (*API throttling*): sooner is no use. What does not "
            "fit into the time left ends at once, to be tried again"
        ),
    )
    yield (
        "a call that failed otherwise and is safe to repeat",
        f"{retry.FIRST_WAIT:g} s, doubled up to {retry.LONGEST_WAIT:g} s, half to one and a half times that",
        "no page has a figure; the SDKs' own back-off is of this order",
    )
    yield (
        "a name that does not resolve",
        f"{retry.UNRESOLVED_SECONDS:g} s in all",
        "most often there is no such region, and that does not pass",
    )
    yield (
        "a sign of a reboot whose answer was lost",
        f"{batch.PATIENCE_SECONDS:g} s",
        (
            "the answer itself has the new status (RebootInstances, `CurrentStatus`); no page says how long others "
            "take to see it"
        ),
    )
    yield (
        "one answer of ECS",
        f"`ECS_TIMEOUT_SECONDS`, {default['ECS_TIMEOUT_SECONDS']} s",
        "the SDKs' own default",
    )
    yield (
        "a guest's heartbeat, before it counts as silent",
        f"{signs_of_life.SILENT_AFTER.total_seconds():g} s",
        (
            "Cloud Assistant reports every 55 to 65 s and calls an instance offline after 2 minutes "
            "(DescribeCloudAssistantStatus)"
        ),
    )
    yield (
        "an event on its way",
        f"`MAX_EVENT_AGE_SECONDS`, {default['MAX_EVENT_AGE_SECONDS']} s",
        (
            "Function Compute repeats a throttled asynchronous call for up to 5 hours (*Asynchronous invocation*): "
            "what is older than this is no longer news"
        ),
    )


def assumptions() -> Iterable[tuple[str, ...]]:
    """Yield one row for each assumption that the acceptance run checks and that no document settles."""
    from acceptance.checks import CHECKS  # noqa: PLC0415 - loads the official clients

    yield "check", "assumption", "if it is wrong"
    for check in CHECKS:
        if check.listed:
            yield f"`{check.name}`", check.assumes, check.if_wrong


def acceptance() -> Iterable[tuple[str, ...]]:
    """Yield one row for each check of the acceptance run, in its order."""
    from acceptance.checks import CHECKS  # noqa: PLC0415

    yield "check", "does", "needs", "costs"
    for check in CHECKS:
        needs = [f"the {need}" for need in check.needs] + ([check.also] if check.also else [])
        yield f"`{check.name}`", check.acts or "reads", "; ".join(needs), check.costs


def deviations() -> Iterable[tuple[str, ...]]:
    """Yield one row for each thing in which the local cloud can be told to differ from the documents."""
    from localcloud.account.deviations import DEVIATIONS  # noqa: PLC0415

    yield "deviation", "what is different then"
    for name, meaning in DEVIATIONS.items():
        yield f"`{name}`", meaning


def names() -> Iterable[tuple[str, ...]]:
    """Yield one row for each kind of resource whose names the services restrict."""
    from cloud_languages.resource_names import RULES  # noqa: PLC0415

    yield "name of", "may be", "refused with", "after"
    for kind, rule in RULES.items():
        without = f"; without {', '.join(rule.forbidden)}" if rule.forbidden else ""
        yield kind.removeprefix("ALIYUN::").replace("::", " "), rule.form + without, f"`{rule.code}`", rule.source


TABLES: dict[str, Callable[[], Iterable[tuple[str, ...]]]] = {
    "settings": settings,
    "guards": guards,
    "sources": sources,
    "record": record,
    "outcomes": outcomes,
    "paging": paging,
    "paging-zh": paging_zh,
    "clients": clients,
    "ecs-parameters": ecs_parameters,
    "ecs-fields": ecs_fields,
    "waits": waits,
    "assumptions": assumptions,
    "acceptance": acceptance,
    "deviations": deviations,
    "names": names,
}


def written(text: str) -> str:
    """Return a document with its tables as they follow from the code now."""
    return _TABLE.sub(lambda mark: mark[1] + _markdown(TABLES[mark["name"]]()) + mark[3], text)


def _markdown(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _type(annotation: object) -> str:
    name = getattr(annotation, "__name__", "") or str(annotation)
    if annotation is Code or str(annotation) == str(Code):
        return "code, see below"
    text = str(annotation) if "Literal" in str(annotation) or "|" in str(annotation) else name
    return f"`{re.sub(r'typing[.]|datetime[.]|ecs_reboot[.][a-z_.]+[.]', '', text)}`"


def main() -> None:
    """Write every document again."""
    for path in sorted(DOCS.rglob("*.md")):
        path.write_text(written(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
