"""The function's rights, tried under a role of the run that has the same policy and that the account itself may take.

The policy is that of the tag ledger, which is the larger one. Calls that must be refused are made together with one
that must be allowed: where everything is refused nothing is shown.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from Tea.exceptions import TeaException

from acceptance.check import CheckFinding, differs, holds, unknown
from acceptance.stage import OPT_IN_VALUE, Stage
from ecs_reboot.cloud.ecs import DRY_RUN_OK
from stack.clients import Clients
from stack.rights import LEDGER_KEY, OPT_IN_KEY

#: How RAM's refusals begin.
_REFUSED = ("Forbidden", "NoPermission")
_DONE = "done"


def reboot_only_opted_in(stage: Stage) -> CheckFinding:
    """Try a dry run on the instance without the opt-in tag, and with it."""
    with _own_tags_kept(stage):
        _untag(stage, OPT_IN_KEY)
        without = _code(lambda: _dry_run(stage))
        _tag(stage, {OPT_IN_KEY: OPT_IN_VALUE})
        tagged = _code(lambda: _dry_run(stage))
    saw = f"without the tag: {without}; with it: {tagged}"
    if not _allowed(tagged):
        return unknown(f"{saw}: the role may do nothing, so nothing is shown")
    if _allowed(without):
        return differs(f"{saw} (a dry run; where ECS leaves RAM out of dry runs, only a reboot tells)")
    return holds(saw) if without.startswith(_REFUSED) else unknown(saw)


def tag_only_the_ledger(stage: Stage) -> CheckFinding:
    """Try to write the ledger's tag, the opt-in tag, and both in one request; and to remove them again."""
    with _own_tags_kept(stage):
        _tag(stage, {OPT_IN_KEY: OPT_IN_VALUE})
        own = _code(lambda: _tag(stage, {LEDGER_KEY: "acceptance"}, stage.role))
        other = _code(lambda: _tag(stage, {OPT_IN_KEY: OPT_IN_VALUE}, stage.role))
        both = _code(lambda: _tag(stage, {LEDGER_KEY: "acceptance", OPT_IN_KEY: OPT_IN_VALUE}, stage.role))
        removed_both = _code(lambda: _untag(stage, LEDGER_KEY, OPT_IN_KEY, clients=stage.role))
        removed_other = _code(lambda: _untag(stage, OPT_IN_KEY, clients=stage.role))
        removed = _code(lambda: _untag(stage, LEDGER_KEY, clients=stage.role))
        _untag(stage, OPT_IN_KEY)
        stranger = _code(lambda: _tag(stage, {LEDGER_KEY: "acceptance"}, stage.role))
    saw = (
        f"the ledger's tag: {own}; the opt-in tag: {other}; both: {both}; the ledger's tag on an instance that is not "
        f"opted in: {stranger}; removing the ledger's tag: {removed}; the opt-in tag: {removed_other}; both: "
        f"{removed_both}"
    )
    if own != _DONE or removed != _DONE:
        return differs(saw)
    refused = (other, both, stranger, removed_other, removed_both)
    return holds(saw) if all(code.startswith(_REFUSED) for code in refused) else differs(saw)


def _dry_run(stage: Stage) -> None:
    stage.ecs("RebootInstances", {"InstanceId.1": stage.instance, "DryRun": "true"}, clients=stage.role)


def _allowed(code: str) -> bool:
    return code in (_DONE, *DRY_RUN_OK)


def _code(call: Callable[[], None]) -> str:
    try:
        call()
    except TeaException as error:
        return str(error.code)
    return _DONE


def _tag(stage: Stage, tags: Mapping[str, str], clients: Clients | None = None) -> None:
    given = {"ResourceType": "instance", "ResourceId.1": stage.instance}
    for number, (key, value) in enumerate(tags.items(), 1):
        given |= {f"Tag.{number}.Key": key, f"Tag.{number}.Value": value}
    stage.ecs("TagResources", given, clients=clients)


def _untag(stage: Stage, *keys: str, clients: Clients | None = None) -> None:
    given = {f"TagKey.{number}": key for number, key in enumerate(keys, 1)}
    asked = {"ResourceType": "instance", "ResourceId.1": stage.instance, **given}
    stage.ecs("UntagResources", asked, clients=clients)


@contextmanager
def _own_tags_kept(stage: Stage) -> Iterator[None]:
    """Put the two tags back as they were, whatever happens in between."""
    tags = {tag["TagKey"]: tag["TagValue"] for tag in stage.described().get("Tags", {}).get("Tag", [])}
    before = {key: tags[key] for key in (OPT_IN_KEY, LEDGER_KEY) if key in tags}
    try:
        yield
    finally:
        _untag(stage, OPT_IN_KEY, LEDGER_KEY)
        if before:
            _tag(stage, before)
