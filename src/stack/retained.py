"""What outlives a stack: its logs, the ledger of its region, the packages it was made from. And who still uses them."""

from collections.abc import Iterable
from typing import NamedTuple

from stack import ledger, rights
from stack.logstores import Names, names
from stack.stacks import FoundStack

#: The template's own name for the function, where a stack gives none.
FUNCTION = "ecs-reboot"


class Retained(NamedTuple):
    """What one stack leaves, or uses while it stands; '' for what it has none of.

    ``project`` is where its logs are, ``own`` the names that the template gives. ``ledger`` is a Tablestore instance,
    ``bucket`` holds packages.
    """

    stack: str
    project: str
    own: Names
    ledger: str
    bucket: str

    @property
    def project_is_own(self) -> bool:
        """Whether the log project was made for this function."""
        return self.project == self.own.project


def of(found: FoundStack, account: str, region: str) -> Retained:
    """Return what a stack leaves: from what it gave out, and from its parameters where that is not there any more."""

    def output_or_parameter(output: str, parameter: str) -> str:
        return str(found.outputs.get(output) or found.parameters.get(parameter) or "")

    own = names(output_or_parameter("FunctionName", "FunctionName") or FUNCTION, account, region)
    remembers = found.parameters.get("Ledger") == rights.TABLESTORE
    return Retained(
        stack=found.name,
        project=output_or_parameter("LogProject", "ExistingLogProject") or own.project,
        own=own,
        ledger=output_or_parameter("LedgerInstance", "LedgerInstance")
        or (ledger.instance_name(account, region) if remembers else ""),
        bucket=str(found.parameters.get("CodeBucket") or ""),
    )


class Users:
    """The stacks that stand in a region: nothing that one of them uses may be taken away."""

    def __init__(self, standing: Iterable[FoundStack], account: str, region: str) -> None:
        # Every template of this project has the parameter; a stack of another uses nothing of ours.
        self._all = [of(stack, account, region) for stack in standing if "FunctionName" in stack.parameters]

    def of_logs(self, gone: Retained) -> tuple[str, ...]:
        """Return the stacks that log into one of these logstores."""
        return self._names(
            stack
            for stack in self._all
            if stack.project == gone.project and {*stack.own.logstores} & {*gone.own.logstores}
        )

    def of_project(self, project: str) -> tuple[str, ...]:
        """Return the stacks that log into a project."""
        return self._names(stack for stack in self._all if stack.project == project)

    def of_ledger(self, instance: str) -> tuple[str, ...]:
        """Return the stacks that remember in a Tablestore instance."""
        return self._names(stack for stack in self._all if stack.ledger == instance)

    def of_bucket(self, bucket: str) -> tuple[str, ...]:
        """Return the stacks whose package lies in a bucket."""
        return self._names(stack for stack in self._all if stack.bucket == bucket)

    @staticmethod
    def _names(users: Iterable[Retained]) -> tuple[str, ...]:
        return tuple(user.stack for user in users)
