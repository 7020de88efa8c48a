"""Deploy: check, upload, create or update, follow; whatever an earlier try left is taken up where it stands."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from Tea.exceptions import TeaException

from cloud_languages.finding import Finding
from cloud_languages.template.checks import by_text
from cloud_languages.template.document import Document, as_json, read
from cloud_languages.template.parameters import typed
from cloud_languages.template.render import decide, plan, rendered
from cloud_languages.template.updates import fixed_changes, switched_off
from ecs_reboot.cloud.errors import CloudError
from stack import checks, code, ledger, rights
from stack.checks import chosen
from stack.clashes import clash
from stack.clients import Clients
from stack.code_parameters import CODE
from stack.logstores import LogStores, names
from stack.package_python import mismatch
from stack.roles import AccountRoles, Resources, RoleState
from stack.stacks import FoundStack, Stacks

#: The file of a package whose functions the service calls.
_ENTRY = "index.py"
#: ROS refuses a call that the deployer may not make with one of these; then the online check is left out.
NOT_ALLOWED = ("Forbidden", "NoPermission", "Forbidden.RAM")


class NotDeployable(ValueError):
    """The template, its parameters or the package are not fit to be deployed. ``findings`` may hold more."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__("\n".join([message, *map(str, findings)]))
        self.findings = findings


class DeployRequest(NamedTuple):
    """What to deploy: ``given`` are parameters; ``bucket`` '' is the default one, ``inline`` prefers none at all."""

    name: str
    document: Document
    package: bytes
    given: Mapping[str, str]
    bucket: str = ""
    inline: bool = True
    plan_only: bool = False


class Deployment:
    """Carries out one request. ``say`` gets a line for each step."""

    def __init__(self, clients: Clients, say: Callable[[str], None], *, stacks: Stacks) -> None:
        self._clients, self._say, self._stacks = clients, say, stacks

    def run(self, request: DeployRequest) -> FoundStack | None:
        """Deploy; return the stack, or None for a plan. Raises NotDeployable, StackFailed, TeaException."""
        account = self.account()
        if why := mismatch(request.package, self._clients.endpoint):
            raise NotDeployable(why)
        self._check_early(request, account)
        found = self._at_rest(request)
        document, given = self._with_code(request, account)
        if found is None:
            given = {**self._kept_logs(document, given, account), **given}
        given = {**self._kept_ledger(document, given, found, account), **given}
        self._say_outgrown(document, given, found)
        made = self._check(document, given, found, account)
        self._check_online(document)
        awaited = self._account_roles(made, plan_only=request.plan_only)
        remade = self._remade(found, made, account)
        if request.plan_only:
            changes = [
                change
                for change in self._stacks.preview(request.name, found, document, given)
                if change.action != "None"
            ]
            for change in changes:
                self._say(f"{change.action:10} {change.name} ({change.type})")
            if not changes:
                self._say(f"nothing would change: the stack {request.name} is up to date")
            return None
        try:
            return self._carried_out(request.name, found, document, given, remade)
        finally:
            self._say_missing(awaited)

    def _carried_out(
        self, name: str, found: FoundStack | None, document: Document, given: Mapping[str, str], remade: tuple[str, ...]
    ) -> FoundStack:
        """Create or update, and follow. Raises StackFailed, TeaException."""
        if found is None:
            return self._stacks.follow(self._stacks.create(name, document, given))
        if remade:
            mark = self._stacks.newest_event(found.stack_id)
            self._stacks.update(found, switched_off(document, remade), given)
            self._stacks.follow(found.stack_id, mark)
        mark = self._stacks.newest_event(found.stack_id)
        if not self._stacks.update(found, document, given):
            self._say(f"the stack {found.name} is up to date")
            return found
        return self._stacks.follow(found.stack_id, mark)

    def _remade(self, found: FoundStack | None, made: Resources, account: str) -> tuple[str, ...]:
        """Return what must be taken away and made again, and say so. Raises NotDeployable for what must not be."""
        if found is None:
            return ()
        before = self._standing(found, account)
        # The same stand-ins on both sides: what only exists once it is made does not change by that.
        changes = list(fixed_changes(before, made))
        if kept := [change for change in changes if not change.can_be_remade]:
            raise NotDeployable(
                "an update can't change these, and they are not taken away to be made again, for what they hold. Keep "
                "the value, or deploy a second stack with its own STACK and FunctionName:",
                [Finding(f"Resources.{change.name}.Properties.{change.path}", change.type, "fixed") for change in kept],
            )
        names = tuple(dict.fromkeys(change.name for change in changes))
        for name in names:
            fixed = ", ".join(change.path for change in changes if change.name == name)
            told = f"{fixed} can't be updated, so it is taken away and made again"
            self._say(f"{'Remake':10} {name} ({made[name]['Type']}): {told}")
        return names

    def _standing(self, found: FoundStack, account: str) -> Resources:
        """Return what the stack was made from, evaluated as the new template is."""
        template = read(self._stacks.template(found))
        values = {
            name: typed(found.parameters.get(name, declared.get("Default")), declared)
            for name, declared in template["Parameters"].items()
        }
        pseudo = checks.EXAMPLE_PSEUDO | {"ALIYUN::AccountId": account, "ALIYUN::Region": self._clients.region}
        resources: Resources = rendered(decide(template, values | pseudo))["Resources"]
        return resources

    def _check_early(self, request: DeployRequest, account: str) -> None:
        """Check the parameters before anything is taken away or uploaded. Raises NotDeployable, WrongParameters."""
        found = self._stacks.find(request.name)
        code_somewhere = {name: checks.EXAMPLE_PARAMETERS[name] for name in CODE}
        made = self._check(
            request.document, {**code_somewhere, **request.given}, found if found and found.usable else None, account
        )
        pattern = request.document["Parameters"]["FunctionName"].get("AllowedPattern", ".+")
        if found is None and (why := clash(self._clients, self._stacks, request.name, made, pattern)):
            raise NotDeployable(f"the stack {request.name} can't be made: {why}")

    def check(self, request: DeployRequest) -> None:
        """Check a request but for its package; change nothing. Raises NotDeployable, WrongParameters, TeaException."""
        self._check_early(request, self.account())

    def account(self) -> str:
        """Return the account that the credentials belong to."""
        return str(self._clients.sts.get_caller_identity().body.account_id)

    def _at_rest(self, request: DeployRequest) -> FoundStack | None:
        """Return the stack once it is at rest and can be updated; None if it is to be made."""
        found = self._stacks.find(request.name)
        if found and found.busy:
            self._say(f"the stack {found.name} is {found.status}: following what is under way")
            if request.plan_only:
                raise NotDeployable(f"the stack {found.name} is {found.status}: plan when it is at rest")
            deleting = found.status.startswith("DELETE")
            self._stacks.follow(found.stack_id, self._stacks.newest_event(found.stack_id))
            found = None if deleting else self._stacks.get(found.stack_id)
        if found and not found.usable:
            if request.plan_only:
                return None
            self._say(f"the stack {found.name} is {found.status}: taking away what is left of it")
            mark = self._stacks.newest_event(found.stack_id)
            self._stacks.delete(found)
            self._stacks.follow(found.stack_id, mark)
            found = None
        return found

    def _with_code(self, request: DeployRequest, account: str) -> tuple[Document, dict[str, str]]:
        given = dict(request.given)
        if request.inline and (own := code.inlined(request.document, request.package)):
            self._say(f"the package of {len(request.package)} bytes goes into the template")
            return own, {name: value for name, value in given.items() if name not in CODE}
        bucket = request.bucket or code.default_bucket(account, self._clients.region)
        if request.plan_only:
            name = code.object_name(request.package)
        else:
            name, sent = code.upload(self._clients, bucket, request.package)
            self._say(f"the package {'was sent to' if sent else 'is already at'} oss://{bucket}/{name}")
        return request.document, {**given, "CodeBucket": bucket, "CodeObject": name}

    def _kept_logs(self, document: Document, given: Mapping[str, str], account: str) -> dict[str, str]:
        """Return the parameters that take up logstores which an earlier stack left."""
        function = given.get("FunctionName", document["Parameters"]["FunctionName"]["Default"])
        kept = names(function, account, self._clients.region)
        project = given.get("ExistingLogProject") or kept.project
        there = LogStores(self._clients).of(project)
        if there is None:
            return {}
        self._say(f"the log project {project} is there already and is used")
        return {"ExistingLogProject": project, "LogstoresExist": "true" if set(kept.logstores) <= there else "false"}

    def _kept_ledger(
        self, document: Document, given: Mapping[str, str], found: FoundStack | None, account: str
    ) -> dict[str, str]:
        """Return the parameters for the ledger's table where the stack begins to use one: the region's own."""
        before = found.parameters.get("Ledger", "") if found else ""
        wanted = given.get("Ledger") or before or str(document["Parameters"]["Ledger"]["Default"])
        if wanted != rights.TABLESTORE or before == wanted:
            return {}
        instance = given.get("LedgerInstance") or ledger.instance_name(account, self._clients.region)
        try:
            standing = ledger.LedgerTable(self._clients, instance).look()
        except ledger.LedgerUnseen as error:
            self._say(f"whether the ledger is there can't be seen ({error}); it is taken for new")
            return {"LedgerInstance": instance}
        if standing.found == "table":
            if standing.table and (wrong := ledger.mistakes(standing.table)):
                raise NotDeployable(f"the table {ledger.TABLE} in {instance} is no ledger: {'; '.join(wrong)}")
            self._say(f"the ledger in {instance} is there already and is used")
        elif why := ledger.not_activated(self._clients):
            raise NotDeployable(f"Tablestore can't be used in this account ({why}): {ledger.HOW_TO_ACTIVATE}")
        return {
            "LedgerInstance": instance,
            "LedgerExists": {"nothing": "false", "instance": "instance", "table": "true"}[standing.found],
        }

    def _say_outgrown(self, document: Document, given: Mapping[str, str], found: FoundStack | None) -> None:
        """Say where the fleet is too large to be remembered in tags; the stack is made all the same."""

        def chosen(name: str) -> str:
            before = found.parameters.get(name, "") if found else ""
            return given.get(name) or before or str(document["Parameters"][name]["Default"])

        if chosen("Ledger") != rights.TAGS:
            return
        from stack import fleet  # noqa: PLC0415 - ECS's client, only where tags are the ledger

        try:
            too_many = ledger.outgrown(fleet.opted_in(self._clients, rights.OPT_IN_KEY, chosen("OptInValue")))
        except CloudError as error:
            too_many = f"whether tags are enough for the fleet can't be seen: {error}"
        if too_many:
            self._say(too_many)

    def _check(self, document: Document, given: Mapping[str, str], found: FoundStack | None, account: str) -> Resources:
        """Return what the stack would have. Raises NotDeployable where that would not work."""
        if mistakes := _mistakes(as_json(document)):
            raise NotDeployable("the template has mistakes:", mistakes)
        before = {
            name: value
            for name, value in (found.parameters if found else {}).items()
            if name in document["Parameters"] and not document["Parameters"][name].get("NoEcho")
        }
        pseudo = checks.EXAMPLE_PSEUDO | {"ALIYUN::AccountId": account, "ALIYUN::Region": self._clients.region}
        made: Resources = rendered(plan(document, {**before, **given}, pseudo))["Resources"]
        if findings := chosen.named(checks.check_rendered(made), document["Parameters"]):
            raise NotDeployable("under these parameters the stack would not work:", findings)
        return made

    def _account_roles(self, made: Resources, *, plan_only: bool) -> Resources:
        """Make the account's roles that are missing, and say which a person must make: else alarms are lost.

        Return the resources of the stack if a role is missing that a service makes with the first of them, else none.
        """
        roles, awaited = AccountRoles(self._clients), False
        for state in roles.look(made) if plan_only else roles.make(made):
            role = state.role
            if state.found == "made":
                self._say(f"the role {role.name} was missing and is made")
            elif state.found == "missing" and not role.makeable:
                awaited = True
                if plan_only:
                    self._say(f"the role {role.name} is not there yet: its service makes it when it is first needed")
            elif state.found == "missing":
                self._say(_missing(state))
            elif state.found == "hidden":
                self._say(f"whether the role {role.name} is there can't be seen ({state.sentence}); it is needed")
        return made if awaited else {}

    def _say_missing(self, awaited: Resources) -> None:
        """Say which of the roles that come with a stack have not come."""
        for state in AccountRoles(self._clients).look(awaited):
            if state.found == "missing" and not state.role.makeable:
                self._say(_missing(state))

    def _check_online(self, document: Document) -> None:
        try:
            self._stacks.validate(document)
        except TeaException as error:
            if str(error.code).startswith(NOT_ALLOWED):
                self._say(f"ROS was not asked to validate ({error.code}); going on")
                return
            raise NotDeployable(f"ROS does not take the template: {error.code}: {error.message}") from error


def _missing(state: RoleState) -> str:
    role, told = state.role, f", {state.sentence}" if state.sentence else ""
    return f"the role {role.name} is missing{told}. Without it {role.lost}. To make it: {role.by_hand}"


#: What is wrong with a template under every choice of its optional parts, which takes a second.
_mistakes = by_text(checks.check)


def read_package(path: Path) -> bytes:
    """Read the built package. Raises NotDeployable where it is not there, or is none."""
    try:
        package = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            if _ENTRY not in archive.namelist():
                raise NotDeployable(f"{path} has no {_ENTRY}, with which the function begins: run `make build`")
    except OSError as error:
        raise NotDeployable(f"{path}: {error.strerror}: run `make build` first") from error
    except zipfile.BadZipFile as error:
        raise NotDeployable(f"{path} is no zip file: run `make build`") from error
    return package
