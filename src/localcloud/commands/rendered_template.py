"""What ``template.yml`` makes of the function: the template, rendered for an account and parameters."""

from collections.abc import Mapping
from errno import ENOENT
from pathlib import Path
from typing import Any

from cloud_languages.template import document
from cloud_languages.template.expression import evaluate
from cloud_languages.template.render import Preview, RenderedStack, plan, rendered
from localcloud.commands.deployed import Deployment
from localcloud.functioncompute.api.async_invoke import read_config

TEMPLATE = Path(__file__).resolve().parents[3] / "template.yml"
REGION = "cn-hangzhou"
#: Parameters without a default: they say where the code lies, which is given otherwise here.
_CODE = {"CodeBucket": "local", "CodeObject": "function.zip"}


def deployment(account: str, parameters: Mapping[str, str]) -> Deployment:
    """Render the template for an account. Raises WrongParameters, and OSError where there is no template."""
    pseudo = {
        "ALIYUN::AccountId": account,
        "ALIYUN::Region": REGION,
        "ALIYUN::StackId": "00000000-0000-4000-8000-000000000000",
        "ALIYUN::StackName": "ecs-reboot",
        "ALIYUN::TenantId": account,
    }
    if not TEMPLATE.exists():
        raise FileNotFoundError(ENOENT, "only a clone of the repository has it: leave --deployed out", TEMPLATE.name)
    decided = plan(document.load(TEMPLATE), {**_CODE, **parameters}, pseudo)
    made = {name: resource["Properties"] for name, resource in rendered(decided, _Made(decided))["Resources"].items()}
    function, role, asynchronous = made["Function"], made["Role"], made["AsyncInvoke"]
    environment = {name: str(value) for name, value in function["EnvironmentVariables"].items()}
    return Deployment(
        environment=environment,
        timeout=int(function["Timeout"]),
        memory_mb=int(function["MemorySize"]),
        cpu=float(function["Cpu"]),
        role_name=role["RoleName"],
        trust=role["AssumeRolePolicyDocument"],
        policies={policy["PolicyName"]: policy["PolicyDocument"] for policy in role["Policies"]},
        async_config=read_config(
            {
                "maxAsyncRetryAttempts": int(asynchronous["MaxAsyncRetryAttempts"]),
                "maxAsyncEventAgeInSeconds": int(asynchronous["MaxAsyncEventAgeInSeconds"]),
                "destinationConfig": {
                    "onFailure": {"destination": asynchronous["DestinationConfig"]["OnFailure"]["Destination"]}
                },
            }
        ),
        reserved=int(made["Concurrency"]["ReservedConcurrency"]),
        log_project=function["LogConfig"]["Project"],
        logstores=(environment["LOGSTORE"], function["LogConfig"]["Logstore"]),
    )


class _Made(Preview):
    """The scope of resources that have the names and attributes which the template itself gives them."""

    def __init__(self, decided: RenderedStack) -> None:
        super().__init__(decided)
        self._properties = {resource.name: resource.properties for resource in decided.resources}

    def attribute(self, resource: str, name: str) -> Any:
        properties = self._properties.get(resource, {})
        return evaluate(properties[name], self) if name in properties else super().attribute(resource, name)
