"""The verbs that talk to the cloud: deploy, status, logs, ledger, remove, doctor."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from aliyun.log import LogException
from Tea.exceptions import TeaException

from cloud_languages.template import document
from ecs_reboot.settings.settings import SettingsError
from stack import records_file, retained
from stack.clients import Clients, NoCredentials
from stack.code import NotUploaded
from stack.deploy import Deployment, DeployRequest, NotDeployable, read_package
from stack.first_request import reaching
from stack.function_output import newest_run
from stack.ledger import LedgerUnseen
from stack.logstores import LogStores
from stack.make_command import absent, make
from stack.offline import ROOT, TEMPLATE
from stack.refusals import sentence
from stack.remove import Removal
from stack.stacks import POLL_SECONDS, FoundStack, StackFailed, Stacks
from terminal.key_values import UsageError, key_values

Say = Callable[[str], None]
PACKAGE = ROOT / "build" / "function.zip"


class StackOptions(NamedTuple):
    """What to do, and where; texts as the command line has them."""

    verb: str
    region: str
    name: str
    endpoint: str = ""
    template: Path = TEMPLATE
    params: str = ""
    package: Path = PACKAGE
    bucket: str = ""
    plan: bool = False
    minutes: int = 60
    query: str = "*"
    function: bool = False
    records: str = ""
    instance: str = ""
    logs: bool = False
    forget: bool = False


class _Verb:
    """One verb: progress goes to ``say`` (standard error), what was asked for to ``tell`` (standard output)."""

    def __init__(self, options: StackOptions, clients: Clients, say: Say, tell: Say) -> None:
        self.options, self.clients, self.say, self.tell = options, clients, say, tell
        # A stand-in moves on when it is looked at: there is nothing to wait for.
        self.stacks = Stacks(self.clients, say, poll_seconds=0 if options.endpoint else POLL_SECONDS)

    def found(self) -> FoundStack:
        """Return the stack. Raises UsageError where there is none."""
        found = self.stacks.find(self.options.name)
        if found is None:
            raise UsageError(f"{self._absent()}. To make it: {self._make('deploy')}")
        return found

    def _absent(self) -> str:
        return absent(self.stacks, self.clients, self.options.name)

    def _make(self, target: str, *words: str) -> str:
        return make(target, self.clients, self.options.name, *words)

    def reach(self) -> int:
        """Check what a deployment depends on but for its package: whose credentials, which stack, its parameters."""
        options = self.options
        request = DeployRequest(
            options.name, document.load(options.template), b"", key_values("PARAMS", options.params)
        )
        Deployment(self.clients, self.say, stacks=self.stacks).check(request)
        return 0

    def deploy(self) -> int:
        """Deploy, and tell what the stack gives out."""
        options = self.options
        request = DeployRequest(
            options.name,
            document.load(options.template),
            read_package(options.package),
            key_values("PARAMS", options.params),
            bucket=options.bucket,
            inline=not options.bucket,
            plan_only=options.plan,
        )
        found = Deployment(self.clients, self.say, stacks=self.stacks).run(request)
        if found:
            self._outputs(self.stacks.get(found.stack_id))
        return 0

    def status(self) -> int:
        """Tell status, resources and outputs."""
        found = self.found()
        self.tell(f"{found.name} in {self.options.region}: {found.status}: {found.reason}")
        for name, kind, physical_id, status in self.stacks.resources(found):
            self.tell(f"{status:18} {name:24} {kind:34} {physical_id}")
        self._outputs(found)
        return 0 if found.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else 1

    def logs(self) -> int:
        """Tell the records, one a line, or write them to a file; and say whether the function can't start."""
        if self.options.records and self.options.function:
            raise UsageError("RECORDS takes records, FUNCTION=1 is what the function printed: give one of them")
        if self.options.records:
            records_file.check(self.options.records)
        found, now = self.found(), int(time.time())
        function, project = str(found.outputs["FunctionName"]), str(found.outputs["LogProject"])
        logstore = f"{function}-{'function' if self.options.function else 'records'}"
        start, stores = now - self.options.minutes * 60, LogStores(self.clients)
        count = self._print_or_save(stores.read(project, logstore, start, now + 60, self.options.query))
        period = f"of the last {self.options.minutes} minutes for the query {self.options.query}"
        path = self.options.records
        if not count:
            kept = f": {path} {'stays as it was' if Path(path).exists() else 'is not written'}" if path else ""
            self.say(f"nothing in {logstore} {period}{kept}")
        elif path:
            counted = f"{count} {'record' if count == 1 else 'records'}"
            self.say(f"{path} holds {counted} {period}: make digest RECORDS={path}")
        # A function that can't start leaves no record: without this an empty answer would look like a quiet night.
        newest = newest_run(stores, project, f"{function}-function")
        if newest and newest.why:
            self.say(f"{function}: {newest.sentence()}")
        return 1 if newest and newest.never_began else 0

    def _print_or_save(self, logs: Iterator[Mapping[str, Any]]) -> int:
        """Tell logs line by line, or write them as they are into the file that is asked for; return how many."""
        if self.options.records:
            return records_file.write(logs, self.options.records)
        count = 0
        for count, log in enumerate(logs, 1):  # noqa: B007 - the last number is how many there were
            self.tell(log.get("message", "") if self.options.function else _line(log))
        return count

    def ledger(self) -> int:
        """Tell what the ledger says, of the region or of one instance."""
        from stack import doctor, ledger_story  # noqa: PLC0415 - loads the function's own code

        account = Deployment(self.clients, self.say, stacks=self.stacks).account()
        settings = doctor.settings_of(self.stacks, self.found(), self.options.region, account)
        known = ledger_story.read(self.clients, settings)
        for line in ledger_story.lines(known, settings, self.options.region, self.options.instance):
            self.tell(line)
        return 0

    def remove(self) -> int:
        """Delete the stack, or what one that is gone left."""
        options = self.options
        account = Deployment(self.clients, self.say, stacks=self.stacks).account()
        removal = Removal(self.clients, self.stacks, account, self.say, logs=options.logs, forget=options.forget)
        found = self.stacks.find(options.name)
        if found:
            return 0 if removal.stack(found) else 1
        gone = self.stacks.deleted(options.name)
        if gone is None:
            raise UsageError(
                f"{self._absent()}, and ROS tells of none of that name that was deleted. If one has left logs or a "
                f"ledger: {self._make('deploy')} takes them up, and {self._make('remove', 'LOGS=1', 'FORGET=1')} then "
                "removes all"
            )
        if not (options.logs or options.forget):
            raise UsageError(
                f"the stack {options.name} in {options.region} is gone already; LOGS=1 and FORGET=1 remove its logs "
                f"and the ledger too: {self._make('remove', 'LOGS=1', 'FORGET=1')}"
            )
        self.say(f"the stack {options.name} is gone already: removing what it left")
        return 0 if removal.rest(retained.of(gone, account, options.region)) else 1

    def doctor(self) -> int:
        """Look at everything that tonight depends on."""
        from stack import doctor  # noqa: PLC0415 - loads the function's own code

        good = True
        for result in doctor.examine(self.clients, self.stacks, self.options.name, self.options.endpoint):
            self.tell(f"{result.level:5} {result.subject}: {result.sentence}")
            good = good and result.level != "bad"
        return 0 if good else 1

    def _outputs(self, found: FoundStack) -> None:
        for name, value in found.outputs.items():
            shown = reaching(str(value), self.options.endpoint) if name == "TestCommand" else value
            self.tell(f"{name}: {shown}")
        if "WebhookUrl" in found.outputs:
            self.say("WebhookUrl ends at its secret, which is not printed: put the value of WebhookToken behind it")


def run(options: StackOptions, clients: Clients | None, say: Say, tell: Say) -> int:
    """Carry out a verb; what the cloud refuses is said in one line."""
    try:
        verb = _Verb(options, clients or Clients(options.region, options.endpoint), say, tell)
        status: int = getattr(verb, options.verb)()
    except TeaException as error:
        say(sentence(error, options.endpoint, options.region))
        return 1
    except LogException as error:
        say(f"{error.get_error_code()}: {error.get_error_message()}")
        return 1
    except (LedgerUnseen, NoCredentials, NotDeployable, NotUploaded, SettingsError, StackFailed) as error:
        say(str(error))
        return 1
    return status


def _line(log: object) -> str:
    record = dict(log) if isinstance(log, dict) else {}
    at = record.get("time") or datetime.fromtimestamp(0, timezone.utc).isoformat()
    who = f"{record.get('instance_id') or '-'} {record.get('region_id') or '-'}"
    told = f"{at} {record.get('record', '')} {record.get('action', '')} {record.get('code', '')} {who}: "
    return told + str(record.get("reason") or json.dumps(record, ensure_ascii=False))
