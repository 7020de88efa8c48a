"""The acceptance run on the local cloud: it finds what holds, and names each assumption that does not."""

import base64
import dataclasses
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from acceptance_cloud import INSTANCES, NAME, NEVER, SURELY, fleet, prepared
from alibabacloud_sts20150401 import models as sts
from local_deployment import clients
from Tea.exceptions import TeaException

from acceptance import queue_checks
from acceptance.check import Check
from acceptance.checks import BY_NAME, CHECKS
from acceptance.report import Redaction
from acceptance.run import AcceptanceRun
from cli.program import main
from localcloud.account.cloud import Cloud
from localcloud.account.deviations import DEVIATIONS
from localcloud.server.server import Running
from localcloud.server.server import running as running_cloud

#: Deviation -> the check that must notice it, and what it must say.
NOTICED = {
    "agent_event_without_subject": ("agent-event", "does not name the instance"),
    "alarm_target_messages": ("alarm-topic", "left no record"),
    # Carried out by itself and answered 200, or 503 where there is no time for that on a busy machine.
    "async_answers_200": ("http-callback", r"answered (200|503.*InvokeFunction: HTTP 200)"),
    "clock_behind": ("clock", r"\+120"),
    "conditions_ignored": ("ledger-swap", "won more than once"),
    "dry_run_operation": ("dry-run-code", "DryRunOperation"),
    "event_types_with_status": ("system-event", "left no record"),
    "failures_lost": ("failure-queue", "did not come to the queue"),
    "no_stop_in_between": ("force-in-between", "a forced stop: IncorrectInstanceStatus"),
    "noecho_forgotten": ("kept-secret", "after an update without the token"),
    "number_codes": ("reboot", "the number 200"),
    "ots_md5_missing": ("ledger-answers", "a success is not understood"),
    "ots_refusals_in_text": ("ledger-answers", "a refusal is not understood"),
    "query_lost": ("http-callback", "answered 401"),
    "reboot_in_between": ("force-in-between", "a forced reboot: 200"),
    "request_tags_ignored": ("tag-only-the-ledger", "the opt-in tag: done"),
    "resource_tags_ignored": ("reboot-only-opted-in", "without the tag: DRYRUN.SUCCESS"),
    "roles_settle_slowly": ("deployment", "AsyncInvoke"),
    "start_time_stays": ("reboot", "StartTime did not move"),
    "stopping_unseen": ("reboot", "never seen down"),
    "throttled_otherwise": ("throttling", "ServiceUnavailable"),
    "timers_silent": ("timer", "left no record"),
}
#: These need an account of their own: the stack is not made, or made otherwise.
_ALONE = {"roles_settle_slowly"}
#: Of these each has an instance of its own: StartTime has minutes.
_REBOOTS = {"number_codes", "start_time_stays", "stopping_unseen", "no_stop_in_between", "reboot_in_between"}
#: A run takes its own stack away, and leaves that of the other tests.
OTHER = "er-other"
_NEVER_COMES = ("left no record", "did not come to the queue")


@pytest.fixture(scope="module")
def deployed(whole: Running, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcceptanceRun]:
    run = prepared(whole, package, tmp_path_factory.mktemp("run"))
    assert run._need("stack") is None
    assert run._need("role") is None
    yield run
    run._remove()


def test_every_deviation_has_a_check_that_notices_it() -> None:
    assert NOTICED.keys() == DEVIATIONS.keys()
    assert {name for name, _ in NOTICED.values()} == {check.name for check in CHECKS} - {"latency"}


@pytest.mark.parametrize("deviation", sorted(NOTICED.keys() - _ALONE))
def test_a_check_notices_what_is_not_as_assumed(whole: Running, deployed: AcceptanceRun, deviation: str) -> None:
    name, said = NOTICED[deviation]
    patience = NEVER if said in _NEVER_COMES else SURELY
    stage = dataclasses.replace(
        deployed.stage,
        instance=INSTANCES[1 + sorted(_REBOOTS).index(deviation)] if deviation in _REBOOTS else INSTANCES[0],
        patience=patience,
    )
    whole.cloud.deviations.add(deviation)
    try:
        if deviation == "clock_behind":
            _wait_for_the_date(whole, behind=True)
        found = BY_NAME[name].run(stage)
    finally:
        whole.cloud.deviations.discard(deviation)
        if deviation == "clock_behind":
            _wait_for_the_date(whole, behind=False)
        if deviation == "noecho_forgotten":
            stage.update({"WebhookToken": stage.token})
        # What failed is tried again: its record is not one of the next test.
        assert whole.functions.wait_until_idle(60)
    assert found.verdict == "differs", found
    assert re.search(said, found.saw), found


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (f"{NAME}-probe", ""),
        (f"{NAME}-cn-hangzhou", "NoPermission"),
        (f"{NAME}-nobody", "EntityNotExist.Role"),
    ],
    ids=["trusts the account", "trusts Function Compute alone", "is not there"],
)
def test_the_account_takes_only_a_role_that_trusts_it(
    whole: Running, deployed: AcceptanceRun, role: str, code: str
) -> None:
    arn = f"acs:ram::{whole.cloud.account}:role/{role}"
    found = ""
    try:
        deployed.stage.clients.sts.assume_role(sts.AssumeRoleRequest(role_arn=arn, role_session_name="test"))
    except TeaException as error:
        found = error.code
    assert found == code


def test_what_stands_in_the_way_of_a_deployment_is_a_finding(package: Path, tmp_path: Path) -> None:
    told: list[str] = []
    with running_cloud(Cloud.from_fleet(fleet("roles_settle_slowly"))) as whole:
        assert prepared(whole, package, tmp_path, "deployment", "timer", tell=told.append).run() == 1
        assert all(stack.status == "DELETE_COMPLETE" for stack in whole.services.ros.stacks.values())
    assert "differs deployment" in told[0]
    assert "AsyncInvoke" in told[0]
    assert "unknown timer: no stack" in told[1]


def test_a_whole_run_finds_everything_as_assumed_and_leaves_nothing(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.md"
    with running_cloud(Cloud.from_fleet(fleet())) as whole:
        before = {instance.spec.instance_id: dict(instance.state.tags) for instance in whole.cloud.fleet}
        status = main(
            ["acceptance", "--endpoint", whole.url, "--instance", INSTANCES[0], "--package", str(package), "--yes",
             "--contact-group", "operators", "--report", str(report)], clients(whole),
        )  # fmt: skip
        told = capsys.readouterr().out
        found = {
            line[8:].partition(":")[0]: line[:8].strip() for line in told.splitlines() if not line.startswith("report")
        }
        assert found == {check.name: "holds" for check in CHECKS}, told
        assert status == 0
        assert whole.account.functions.names() == ()
        assert whole.account.stores.projects() == ("ecs-reboot",), "what the fleet declares"
        assert [name for name in ("er-acceptance-probe", f"{NAME}-cn-hangzhou") if whole.account.roles.get(name)] == []
        assert {instance.spec.instance_id: dict(instance.state.tags) for instance in whole.cloud.fleet} == before
        assert {name for instance in whole.account.ots.instances for name in instance.tables} == {"ledger"}
        assert list(tmp_path.glob("*.json")) == []
        text = report.read_text("utf-8")
        for secret in (INSTANCES[0], whole.cloud.account, whole.cloud.credentials.root.access_key_id, "operators"):
            assert secret not in text
    assert text.count("as assumed") == len(CHECKS)


def test_a_message_is_read_plain_and_in_base64() -> None:
    told = '{"requestPayload": "x"}'
    for text in (told, base64.b64encode(told.encode()).decode()):
        assert queue_checks._read(text) == {"requestPayload": "x"}
    for text in ("neither", "W10=", "{half"):
        assert queue_checks._read(text) is None


def test_a_report_shows_neither_what_is_known_nor_what_looks_like_an_id() -> None:
    redacted = Redaction({"the-token": "<secret>", "ops": "<contact group>", "": "<nothing>"})
    assert redacted("the-token told\nops") == "<secret> told <contact group>"
    for text, left in (
        ("i-bp1a2b3c4d5e6f7g8h9i of 1234567890123456", "<resource> of <account>"),
        ("LTAI5t8charsormore ada@example.com", "<access key> <e-mail>"),
        ("10.0.0.1 ?token=abc&x=1", "<address> ?token=<secret>&x=1"),
        ("01234567-89ab-cdef-0123-456789abcdef", "<request>"),
    ):
        assert redacted(text) == left


def test_a_run_goes_on_where_it_was_interrupted(whole: Running, package: Path, tmp_path: Path) -> None:
    told: list[str] = []
    names = ("dry-run-code", "latency", "throttling")

    def interrupt(_what: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(whole, package, tmp_path, *names, name=OTHER, allow=interrupt, tell=told.append).run()
    assert len(told) == 2
    mark = len(whole.cloud.audit.entries(0))
    assert (
        prepared(whole, package, tmp_path, *names, name=OTHER, allow=lambda _what: False, tell=told.append).run() == 0
    )
    assert [line.endswith("(found before)") for line in told[2:5]] == [True, True, False]
    assert told[4].startswith("skipped throttling")
    later = [entry["action"] for entry in whole.cloud.audit.entries(0)[mark:] if entry["kind"] == "api"]
    assert "RebootInstances" not in later


def test_nothing_acts_where_nobody_allows_it(whole: Running, package: Path, tmp_path: Path) -> None:
    told: list[str] = []
    mark = len(whole.cloud.audit.entries(0))
    assert prepared(whole, package, tmp_path, name=OTHER, allow=lambda _what: False, tell=told.append).run() == 0, told
    # The function of another test's stack may still be writing its records.
    own = [entry for entry in whole.cloud.audit.entries(0)[mark:] if entry.get("identity", "").startswith("root:")]
    assert {entry["action"] for entry in own} >= {"DescribeInstances", "RebootInstances"}, "those of the dry run"
    assert [entry for entry in own if entry["effect"]] == []
    acting = {check.name for check in CHECKS if check.acts or check.needs}
    assert {line[8:].partition(":")[0] for line in told if line.startswith(("skipped", "unknown"))} == acting


def test_an_unknown_check_is_refused(whole: Running, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["acceptance", "--endpoint", whole.url, "--instance", INSTANCES[0], "--only", "weather"]
    assert main(arguments, clients(whole)) == 2
    assert "there is no check weather" in capsys.readouterr().err


@pytest.mark.parametrize("check", [[], ["--check"]], ids=["run", "check"])
def test_a_run_that_can_not_begin_says_why(
    whole: Running, capsys: pytest.CaptureFixture[str], check: list[str]
) -> None:
    arguments = ["acceptance", "--endpoint", whole.url, *check, "--instance"]
    assert main([*arguments, "i-bp1nobody"], clients(whole)) == 1
    assert "the run can't begin: there is no instance i-bp1nobody" in capsys.readouterr().err


def test_a_run_that_can_begin_is_checked_without_a_package_and_without_acts(whole: Running, tmp_path: Path) -> None:
    mark = len(whole.cloud.audit.entries(0))
    arguments = ["acceptance", "--endpoint", whole.url, "--check", "--instance", INSTANCES[0], "--only", "clock"]
    assert main([*arguments, "--package", str(tmp_path / "absent.zip")], clients(whole)) == 0
    own = [entry for entry in whole.cloud.audit.entries(0)[mark:] if entry.get("identity", "").startswith("root:")]
    assert {entry["action"] for entry in own} == {"GetCallerIdentity", "DescribeInstances"}


def test_the_table_is_well_formed() -> None:
    assert len(BY_NAME) == len(CHECKS)
    first_act = next(number for number, check in enumerate(CHECKS) if check.acts)
    assert all(not check.needs for check in CHECKS[:first_act])
    assert all(_complete(check) for check in CHECKS)


def _complete(check: Check) -> bool:
    return all((check.name, check.assumes, check.if_wrong)) and "|" not in check.assumes + check.if_wrong


def _wait_for_the_date(whole: Running, *, behind: bool) -> None:
    """Wait until answers are dated as the cloud has it: it is written about once a second."""
    for _ in range(600):
        told = parsedate_to_datetime(clients(whole).sts.get_caller_identity().headers["date"])
        if (time.time() - told.timestamp() > 600) == behind:
            return
        time.sleep(0.05)
    raise AssertionError(f"the date of answers never came to be {'behind' if behind else 'right'}")
