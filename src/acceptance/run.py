"""The run: checks one after the other, each allowed before it acts, kept in the journal; then everything is removed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from aliyun.log import LogException
from mns.mns_exception import MNSExceptionBase
from Tea.exceptions import TeaException

from acceptance.check import Check, CheckFinding
from acceptance.checks import BY_NAME, CHECKS
from acceptance.deployment import InTheAccount
from acceptance.journal import Journal
from acceptance.report import Redaction, written
from acceptance.stage import LOCAL, Patience, Stage
from ecs_reboot.cloud.errors import CloudError
from stack.clients import Clients
from stack.code import NotUploaded
from stack.deploy import NotDeployable
from stack.ledger import LedgerUnseen
from stack.refusals import sentence
from stack.stacks import StackFailed

#: What a service or the stack may answer a check with, and what that is called.
_REFUSALS = (
    TeaException,
    LogException,
    MNSExceptionBase,
    CloudError,
    LedgerUnseen,
    NotDeployable,
    NotUploaded,
    StackFailed,
)

Allow = Callable[[str], bool]
"""Whether the run may do what the text says."""


class UnknownCheck(ValueError):
    """There is no check of that name; the text names those that there are."""


class CutShort(RuntimeError):
    """The run can't begin, or can't take away what it made; the text says why. The same command again goes on."""


class AcceptanceRequest(NamedTuple):
    """What a run is about. ``only``: names of checks, none means all. ``keep``: leave the stack standing."""

    instance: str
    name: str
    template: Path
    package: Path
    journal: Path
    report: Path
    contact_group: str = ""
    only: tuple[str, ...] = ()
    keep: bool = False


class AcceptanceRun:
    """One run. ``say`` gets progress, ``allow`` is asked before each act, ``tell`` gets each finding."""

    def __init__(
        self,
        asked: AcceptanceRequest,
        clients: Clients,
        *,
        say: Callable[[str], None],
        tell: Callable[[str], None],
        allow: Allow,
        patience: Patience | None = None,
    ) -> None:
        self._asked, self._say, self._tell, self._allow = asked, say, tell, allow
        self._checks = chosen(asked.only)
        self._endpoint = clients.endpoint
        with _said("the run can't begin", self._endpoint):
            account = str(clients.sts.get_caller_identity().body.account_id)
        waits = patience or (LOCAL if clients.endpoint else Patience())
        self.stage = Stage(clients, account, asked.instance, asked.name, waits, say, asked.contact_group)
        self._account = InTheAccount(self.stage, asked.template, asked.package, say)
        self.journal = Journal(asked.journal)
        self._made: dict[str, CheckFinding | None] = {}

    def check(self) -> int:
        """Look whether the run can begin: the region answers, the instance is there. Raises CutShort."""
        with _said("the run can't begin", self._endpoint):
            self.stage.described()
        return 0

    def run(self) -> int:
        """Carry out the checks, write the report, remove everything; return 1 where something is not as assumed."""
        self.check()
        for check in self._checks:
            known = self.journal.settled(check.name)
            found = known or self._carried_out(check)
            self.journal.put(check.name, found)
            self._tell(f"{found.verdict:8}{check.name}: {found.saw}{' (found before)' if known else ''}")
        self._write_report()
        if not self._asked.keep:
            self._remove()
        return int(any(self.journal.findings[check.name].verdict == "differs" for check in self._checks))

    def _carried_out(self, check: Check) -> CheckFinding:
        for need in check.needs:
            if (failure := self._need(need)) is not None:
                return failure if check.name == "deployment" else CheckFinding("unknown", f"no {need}: {failure.saw}")
        if check.acts and "deploys" not in check.acts and not self._allow(f"{check.name}: {check.acts}"):
            return CheckFinding("skipped", "it was not allowed to act")
        try:
            return check.run(self.stage)
        except _REFUSALS as error:
            return CheckFinding("unknown", _describe(error))
        except (LookupError, OSError) as error:
            return CheckFinding("unknown", f"{type(error).__name__}: {error}")

    def _need(self, need: str) -> CheckFinding | None:
        """Make what a check needs, once; return why it could not be made, None where it is there."""
        if need not in self._made:
            self._made[need] = self._make(need)
        return self._made[need]

    def _make(self, need: str) -> CheckFinding | None:
        what = {"stack": f"deploy the stack {self.stage.name}", "role": f"make the role {self.stage.name}-probe"}[need]
        if not self._allow(f"{what} in {self.stage.region}; it is removed at the end"):
            return CheckFinding("skipped", "it was not allowed to deploy")
        try:
            if need == "stack":
                if self.journal.had_table is None:
                    self.journal.had_table = self._account.has_table()
                    self.journal.save()
                self._account.deploy()
            else:
                self._account.assume_probe()
        except StackFailed as error:
            return CheckFinding("differs", str(error))
        except _REFUSALS as error:
            return CheckFinding("unknown", _describe(error))
        return None

    def _write_report(self) -> None:
        stage, keys = self.stage, self.stage.clients.keys()
        known = {
            stage.account: "<account>",
            stage.instance: "<instance>",
            stage.token: "<secret>",
            stage.contact_group: "<contact group>",
            self._account.ledger_instance(): "<ledger>",
            keys.access_key_id: "<access key>",
            keys.access_key_secret: "<secret>",
            keys.security_token: "<secret>",
        }
        text = written(
            self._checks,
            self.journal.findings,
            region=stage.region,
            at=datetime.now(timezone.utc),
            redacted=Redaction(known),
            local=bool(stage.clients.endpoint),
        )
        self._asked.report.parent.mkdir(parents=True, exist_ok=True)
        self._asked.report.write_text(text, encoding="utf-8")
        self._tell(f"report: {self._asked.report}")

    def _remove(self) -> None:
        """Take everything away. Where that is refused the journal stays, for the next run."""
        with _said("what the run made could not be taken away; the same command again tries", self._endpoint):
            self._account.remove(forget=self.journal.had_table is False)
        self.journal.close()


@contextmanager
def _said(what: str, endpoint: str) -> Iterator[None]:
    """Turn what the services refuse into one sentence. Raises CutShort."""
    try:
        yield
    except TeaException as error:
        raise CutShort(f"{what}: {sentence(error, endpoint)}") from error
    except (*_REFUSALS, LookupError) as error:
        raise CutShort(f"{what}: {_describe(error)}") from error


def chosen(only: Iterable[str]) -> tuple[Check, ...]:
    """Return the checks of these names, all for none. Raises UnknownCheck."""
    if unknown := [name for name in only if name not in BY_NAME]:
        raise UnknownCheck(f"there is no check {', '.join(unknown)}: {', '.join(BY_NAME)}")
    return tuple(BY_NAME[name] for name in only) or CHECKS


def _describe(error: Exception) -> str:
    if isinstance(error, TeaException):
        return sentence(error)
    return f"{error.get_error_code()}: {error.get_error_message()}" if isinstance(error, LogException) else str(error)
