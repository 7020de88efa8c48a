"""The function as ``make deploy`` makes it: what ``template.yml`` gives it by default, on the local cloud.

Its settings, timeout, memory, share of a processor, retries and reserved concurrency, and its role with exactly the
policies that the template writes. Only the addresses of the services are the local cloud's own.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from localcloud.account import history
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import KeyPair
from localcloud.account.fleet import Fleet, TablestoreSpec
from localcloud.functioncompute.api.async_invoke import AsyncConfig
from localcloud.functioncompute.api.functions import Functions
from localcloud.functioncompute.function import Function
from localcloud.functioncompute.invocation import Invocation
from localcloud.ram.roles import Roles

Log = Callable[[Invocation], None]


class NotDeployed(ValueError):
    """Parameters of the template were given where it does not count."""


class Deployment(NamedTuple):
    """What the template says of the function. ``policies`` are those of its role, by name."""

    environment: Mapping[str, str]
    timeout: int
    memory_mb: int
    cpu: float
    role_name: str
    trust: Mapping[str, Any]
    policies: Mapping[str, Mapping[str, Any]]
    async_config: AsyncConfig
    reserved: int
    log_project: str
    logstores: tuple[str, ...]


def asked_for(account: str, parameters: Mapping[str, str], *, deployed: bool) -> "Deployment | None":
    """Return the deployment where one is asked for. Raises NotDeployed for parameters without it, and as it does."""
    if parameters and not deployed:
        raise NotDeployed("PARAMS are of the template, which counts with DEPLOYED=1 only; settings are given by SET=")
    if not deployed:
        return None
    from localcloud.commands.rendered_template import deployment  # noqa: PLC0415 - reads YAML, which few starts need

    return deployment(account, parameters)


def with_stores(fleet: Fleet, deployed: Deployment) -> Fleet:
    """Return the fleet with the template's logstores, table and bucket of evidence, as it has them, beside its own."""
    projects = {**fleet.log_projects, deployed.log_project: deployed.logstores}
    instance = deployed.environment.get("TABLESTORE_INSTANCE", "")
    known = {spec.instance_name for spec in fleet.tablestore}
    table = {deployed.environment.get("TABLESTORE_TABLE", ""): history.KEY}
    tables = () if not instance or instance in known else (TablestoreSpec(instance_name=instance, tables=table),)
    evidence = deployed.environment.get("EVIDENCE_BUCKET", "")
    buckets = () if not evidence or evidence in fleet.buckets else (evidence,)
    more = {"tablestore": (*fleet.tablestore, *tables), "buckets": (*fleet.buckets, *buckets)}
    return fleet.model_copy(update={"log_projects": projects, **more})


def cloud_of(fleet: Fleet, deployed: Deployment | None, key: KeyPair | None = None) -> Cloud:
    """Make the cloud of a fleet. Where the function is deployed, its role decides what its calls may do."""
    if deployed is None:
        return Cloud.from_fleet(fleet, key=key)
    cloud = Cloud.from_fleet(with_stores(fleet, deployed), key=key)
    roles = Roles(cloud.account, lambda: cloud.clock.now().timestamp())
    roles.create(deployed.role_name, deployed.trust, deployed.policies)
    cloud.authorize = roles.authorize
    return cloud


def register(functions: Functions, function: Function, deployed: Deployment | None, log: Log | None = None) -> None:
    """Make a function known to Function Compute: retries, failure destination and concurrency as deployed."""
    functions.register(
        function,
        async_config=deployed.async_config if deployed else None,
        reserved=deployed.reserved if deployed else None,
        logged=log,
        provided=True,
    )
    functions.on_destination("mns", lambda _name, _queue, _message: None)  # the audit's ``async_end`` says it all
