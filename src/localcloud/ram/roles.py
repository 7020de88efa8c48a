"""The roles of an account, with their policies: what decides on every call that a role session makes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloud_languages.ram_policy import Verdict, evaluate_all
from cloud_languages.resource_names import ROLE, RULES
from localcloud.account.authorization import Resource
from localcloud.account.credentials import Identity


class RoleRefusal(Exception):
    """A role can't be made or taken as asked; the text is for the caller."""


class Role(NamedTuple):
    """One role: its ARN, the services and accounts that may take it, its policy documents by name."""

    name: str
    arn: str
    services: frozenset[str]
    policies: Mapping[str, Mapping[str, Any]]


class Roles:
    """The roles of one account by name."""

    def __init__(
        self, account: str, now: Callable[[], float], ignored: Callable[[], tuple[str, ...]] = lambda: ()
    ) -> None:
        """``ignored``: beginnings of condition keys that RAM does not look at."""
        self._account, self._now, self._ignored = account, now, ignored
        self._roles: dict[str, Role] = {}
        self._made: dict[str, float] = {}

    def create(self, name: str, trust: Mapping[str, Any], policies: Mapping[str, Mapping[str, Any]]) -> Role:
        """Make a role. Raises Refusal where the name is wrong or taken, or the trust policy lets no service take it."""
        if mistake := RULES[ROLE].mistake(name):
            raise RoleRefusal(f"{RULES[ROLE].code}: {name!r}: {mistake}")
        if name in self._roles:
            raise RoleRefusal(f"EntityAlreadyExists.Role: the role {name} exists already")
        services = frozenset(
            service
            for statement in trust.get("Statement", [])
            if statement.get("Effect") == "Allow" and statement.get("Action") == "sts:AssumeRole"
            for taker in ("Service", "RAM")
            for service in statement.get("Principal", {}).get(taker, [])
        )
        if not services:
            raise RoleRefusal(f"InvalidParameter.AssumeRolePolicyDocument: no service may take the role {name}")
        role = Role(name, f"acs:ram::{self._account}:role/{name}", services, dict(policies))
        self._roles[name] = role
        # One that is made again by an update stays known.
        self._made.setdefault(name, self._now())
        return role

    def get(self, name: str) -> Role | None:
        """Return a role, or None."""
        return self._roles.get(name)

    def knows(self, name: str) -> bool:
        """Return whether a role was ever made here, be it deleted since."""
        return name in self._made

    def age(self, name: str) -> float:
        """Return how long a role has been there, in seconds."""
        return self._now() - self._made[name]

    def put(self, role: Role) -> None:
        """Write a role in the place of the one before, as when its policies change."""
        self._roles[role.name] = role

    def delete(self, name: str) -> None:
        """Take a role away; one that is not there stays so."""
        self._roles.pop(name, None)

    def assumable(self, arn: str, service: str) -> Role:
        """Return the role of an ARN if ``service`` may take it. Raises Refusal."""
        role = next((role for role in self._roles.values() if role.arn == arn), None)
        if role is None:
            raise RoleRefusal(f"EntityNotExist.Role: there is no role {arn}")
        if service not in role.services:
            taken_by = ", ".join(sorted(role.services))
            raise RoleRefusal(f"NoPermission: {service} may not take the role {role.name}, only {taken_by} may")
        return role

    def verdict(self, role_name: str, action: str, resource: Resource) -> Verdict:
        """Judge a call of a role session, `ROLE` or `ROLE/SESSION`; a role that is not there may do nothing."""
        role = self._roles.get(role_name.partition("/")[0])
        context = {f"acs:ResourceTag/{key}": value for key, value in resource.tags.items()}
        context |= {f"acs:RequestTag/{key}": value for key, value in resource.request_tags.items()}
        context |= resource.circumstances
        policies = [less(policy, self._ignored()) for policy in role.policies.values()] if role else []
        return evaluate_all(policies, action, resource.arn, context)

    def authorize(self, identity: Identity, action: str, resource: Resource) -> bool:
        """Decide for ``Cloud.authorize``: the account itself may do everything, a role what its policies allow."""
        return identity.kind == "root" or self.verdict(identity.name, action, resource).allowed


def less(policy: Mapping[str, Any], keys: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a policy as RAM would read it if it did not know condition keys that begin so.

    Without its condition an Allow is always good; a Deny, which would then refuse everything, counts for nothing.
    """
    if not keys:
        return policy
    statements = []
    for statement in policy.get("Statement", []):
        condition = {
            operator: {key: value for key, value in tests.items() if not key.startswith(keys)}
            for operator, tests in statement.get("Condition", {}).items()
        }
        changed = condition != statement.get("Condition", {})
        if not (changed and statement["Effect"] == "Deny"):
            statements.append({**statement, "Condition": condition} if changed else statement)
    return {**policy, "Statement": statements}
