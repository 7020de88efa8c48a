"""What a function is: its code, its entry points, its limits and its variables (FC 3.0 ``CreateFunction``)."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

#: The settings that lead the function's calls to this cloud, where Alibaba Cloud's own names would lead nowhere.
ENDPOINTS = (
    "ECS_ENDPOINT",
    "ESS_ENDPOINT",
    "CMS_ENDPOINT",
    "SLS_ENDPOINT",
    "OSS_ENDPOINT",
    "HANDOVER_ENDPOINT",
    "TABLESTORE_ENDPOINT",
)
RUNTIMES = ("python3.12", "python3.10", "python3.9", "python3")
TIMEOUT_LIMITS = (1, 86_400)
INITIALIZER_TIMEOUT_LIMITS = (1, 300)
MEMORY_LIMITS_MB = (128, 32_768)
MEMORY_STEP_MB = 64
CPU_LIMITS = (0.05, 16.0)
ENVIRONMENT_LIMIT_BYTES = 4 * 1024

_VARIABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class InvalidFunction(ValueError):
    """A function that Function Compute would refuse to create; the text names the setting, its value and the limit."""


class RoleCredentials(NamedTuple):
    """The temporary credentials of the function's role, as STS gives them."""

    access_key_id: str
    access_key_secret: str
    security_token: str


@dataclass(frozen=True)
class Function:
    """One function's configuration.

    ``handler`` and ``initializer`` are ``file.function`` (a dotted module path before the last dot is also taken);
    ``timeout`` and ``initializer_timeout`` are seconds, ``memory_mb`` a multiple of 64, ``cpu`` in vCPU (less than one:
    its share, where this system can give it, see ``processor_share``). ``credentials`` is asked
    for each invocation, for they rotate. ``interpreter`` is the Python that runs the code; its site-packages are what
    the code finds beside itself. ``runtime`` decides what the context object looks like.

    Raises ``InvalidFunction`` where the service would refuse: an unknown runtime, a number out of its limits, a
    variable starting with ``FC_``, variables of more than 4 KB together (names and values).
    """

    name: str
    code_path: Path
    credentials: Callable[[], RoleCredentials]
    handler: str = "index.handle"
    initializer: str = ""
    timeout: int = 3
    initializer_timeout: int = 300
    memory_mb: int = 512
    cpu: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)
    runtime: str = "python3.10"
    account_id: str = "1234567890123456"
    region: str = "cn-hangzhou"
    log_project: str = ""
    log_store: str = ""
    interpreter: str = sys.executable

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise InvalidFunction(f"runtime {self.runtime!r} is not one of {', '.join(RUNTIMES)}")
        if not self.handler:  # one of another form is taken, and each invocation then fails with InvalidHandleName
            raise InvalidFunction("handler '' is not of the form file.function, such as index.handle")
        _within("timeout", self.timeout, TIMEOUT_LIMITS)
        _within("initializer_timeout", self.initializer_timeout, INITIALIZER_TIMEOUT_LIMITS)
        _within("memory_mb", self.memory_mb, MEMORY_LIMITS_MB)
        _within("cpu", self.cpu, CPU_LIMITS)
        if self.memory_mb % MEMORY_STEP_MB:
            raise InvalidFunction(f"memory_mb {self.memory_mb} is not a multiple of {MEMORY_STEP_MB}")
        if not self.code_path.is_dir():
            raise InvalidFunction(f"code_path {str(self.code_path)!r} is not a directory")
        _check_environment(self.environment)


def _within(name: str, value: float, limits: tuple[float, float]) -> None:
    lowest, highest = limits
    if not lowest <= value <= highest:
        raise InvalidFunction(f"{name} {value} is outside {lowest} to {highest}")


def _check_environment(environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if name.startswith("FC_"):
            raise InvalidFunction(
                f"environment variable {name} starts with FC_, which Function Compute keeps for its own"
            )
        if not _VARIABLE_NAME.match(name):
            raise InvalidFunction(f"environment variable {name!r} must be a letter followed by letters, digits and _")
        if "\0" in value:
            raise InvalidFunction(f"environment variable {name} has a NUL character in its value")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in environment.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        raise InvalidFunction(
            f"the environment variables take {size} bytes, names and values together; "
            f"Function Compute allows {ENVIRONMENT_LIMIT_BYTES}: shorten or remove some"
        )


def process_environment(function: Function, instance_id: str, credentials: RoleCredentials) -> dict[str, str]:
    """Build an instance's whole environment: the documented variables and the user's own, nothing of this machine's.

    The user's variables come last except where the service writes its own: the credentials are the role's.
    """
    version = "FC_FUNCTION_VERSION" if function.runtime == "python3.12" else "FC_VER_ID"
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONIOENCODING": "utf-8:surrogateescape",
        **function.environment,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": credentials.security_token,
        "FC_ACCOUNT_ID": function.account_id,
        "FC_CUSTOM_LISTEN_PORT": "9000",
        "FC_FUNC_CODE_PATH": str(function.code_path.resolve()),
        "FC_FUNCTION_HANDLER": function.handler,
        "FC_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "FC_FUNCTION_NAME": function.name,
        "FC_INSTANCE_ID": instance_id,
        "FC_REGION": function.region,
        version: "LATEST",
    }
