"""What a run makes in the account and takes away: the stack under test, and a role with the function's rights."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.models import Config as CredentialConfig
from alibabacloud_sts20150401 import models as sts

from acceptance.stage import OPT_IN_VALUE, Stage
from cloud_languages.template import document
from cloud_languages.template.document import Document
from cloud_languages.template.render import plan, rendered
from stack.checks import EXAMPLE_PARAMETERS, EXAMPLE_PSEUDO
from stack.clients import Clients
from stack.deploy import Deployment, DeployRequest, read_package
from stack.ledger import LedgerTable, LedgerUnseen, instance_name
from stack.remove import Removal
from stack.rights import TABLESTORE, TAGS
from stack.stacks import POLL_SECONDS, Stacks

_TOKEN_BYTES = 24
_SESSION_SECONDS = 3600
#: What a name of the stack leaves room for, of the 24 characters of FunctionName.
_PROBE = "-probe"


class InTheAccount:
    """Makes what checks need, when the first of them needs it. Raises as those do."""

    def __init__(self, stage: Stage, template: Path, package: Path, say: Callable[[str], None]) -> None:
        self._stage, self._say = stage, say
        self._template, self._package = document.load(template), package
        # A stand-in moves on when it is looked at: there is nothing to wait for.
        poll_seconds = 0 if stage.clients.endpoint else POLL_SECONDS
        self._stacks = Stacks(stage.clients, say, poll_seconds=poll_seconds)
        self._deployment = Deployment(stage.clients, say, stacks=self._stacks)

    def deploy(self) -> None:
        """Deploy the stack under test, or update it with a new token where an earlier run left it."""
        stage = self._stage
        stage.token = secrets.token_urlsafe(_TOKEN_BYTES)
        given = {
            "FunctionName": stage.name,
            "OptInValue": OPT_IN_VALUE,
            "WebhookToken": stage.token,
            "ScheduleCron": "@every 1m",
            "ScheduleRequest": f'{{"instance_ids": ["{stage.instance}"], "reason": "acceptance"}}',
            "AgentEvents": "true",
            "ResponsiveTriggers": "",
            "VerifySeconds": "0",
            "LogDays": "7",
            "Ledger": TABLESTORE,
        }
        if stage.contact_group:
            given |= {
                "ExampleAlarmInstance": stage.instance,
                "ExampleAlarmThreshold": "1",
                "ContactGroup": stage.contact_group,
            }
        self._run(given)
        stage.update, stage.change = self._run, self._change

    def assume_probe(self) -> None:
        """Make the role that has the function's policy and is taken by the account itself, and take it."""
        stage, name = self._stage, f"{self._stage.name}{_PROBE}"
        found = self._stacks.find(name)
        if found is None or not found.usable:
            if found:
                self._gone(name)
            self._stacks.follow(self._stacks.create(name, _probe(stage, self._template), {}))
        arn = f"acs:ram::{stage.account}:role/{name}"
        asked = sts.AssumeRoleRequest(role_arn=arn, role_session_name="acceptance", duration_seconds=_SESSION_SECONDS)
        session = stage.clients.sts.assume_role(asked).body.credentials
        own = CredentialConfig(
            type="sts",
            access_key_id=session.access_key_id,
            access_key_secret=session.access_key_secret,
            security_token=session.security_token,
        )
        stage.role = Clients(stage.region, stage.clients.endpoint, CredentialChain(own))

    def has_table(self) -> bool:
        """Return whether the region's ledger is there already: then it is not this run's to delete."""
        try:
            return LedgerTable(self._stage.clients, self.ledger_instance()).look().found == "table"
        except LedgerUnseen as error:
            self._say(f"whether the ledger's table is there can't be seen: {error}")
            return False

    def ledger_instance(self) -> str:
        """Return the Tablestore instance that the stack uses."""
        return instance_name(self._stage.account, self._stage.region)

    def remove(self, *, forget: bool) -> None:
        """Take everything away; ``forget``: the ledger's table too."""
        stage = self._stage
        if found := self._stacks.find(stage.name):
            Removal(stage.clients, self._stacks, stage.account, self._say, logs=True, forget=forget).stack(found)
        self._gone(f"{stage.name}{_PROBE}")

    def _gone(self, name: str) -> None:
        if found := self._stacks.find(name):
            mark = self._stacks.newest_event(found.stack_id)
            self._stacks.delete(found)
            self._stacks.follow(found.stack_id, mark)

    def _run(self, given: Mapping[str, str]) -> None:
        request = DeployRequest(self._stage.name, self._template, read_package(self._package), given)
        found = self._deployment.run(request)
        self._stage.stack = self._stacks.get(found.stack_id) if found else None

    def _change(self, given: Mapping[str, str]) -> None:
        found = self._stage.deployed
        mark = self._stacks.newest_event(found.stack_id)
        if self._stacks.update(found, document.read(self._stacks.template(found)), given):
            self._stage.stack = self._stacks.follow(found.stack_id, mark)


def _probe(stage: Stage, template: Document) -> Document:
    """Return a template with the function's policy alone, for the ledger of tags: it has more conditions."""
    code = {name: EXAMPLE_PARAMETERS[name] for name in ("CodeBucket", "CodeObject")}
    given = {**code, "FunctionName": stage.name, "OptInValue": OPT_IN_VALUE, "Ledger": TAGS}
    pseudo = EXAMPLE_PSEUDO | {"ALIYUN::AccountId": stage.account, "ALIYUN::Region": stage.region}
    role = rendered(plan(template, given, pseudo))["Resources"]["Role"]["Properties"]
    name = f"{stage.name}{_PROBE}"
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"RAM": [f"acs:ram::{stage.account}:root"]},
    }
    properties = {
        "RoleName": name,
        "DeletionForce": True,
        "AssumeRolePolicyDocument": {"Version": "1", "Statement": [statement]},
        "Policies": [{"PolicyName": name, "PolicyDocument": role["Policies"][0]["PolicyDocument"]}],
    }
    return {
        "ROSTemplateFormatVersion": "2015-09-01",
        "Description": "The function's rights, to be tried by the acceptance run",
        "Resources": {"Probe": {"Type": "ALIYUN::RAM::Role", "Properties": properties}},
    }
