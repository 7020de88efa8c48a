"""Parameters that the function reads, as settings or in events: read as it will, and named as the user typed them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cloud_languages.finding import Finding
from ecs_reboot.settings.variable_table import VARIABLES
from stack.checks import timer_request

_BY_NAME = {variable.name: variable for variable in VARIABLES}
_REQUEST = "ScheduleRequest"
#: A place in a trigger -> the parameter that stands there.
_OF_TRIGGER = {
    f"Resources.{name}Trigger.Properties.TriggerConfig.{key}": parameter
    for name, key, parameter in (
        ("Schedule", "payload", _REQUEST),
        ("Schedule", "cronExpression", "ScheduleCron"),
        ("Sweep", "cronExpression", "SweepCron"),
        ("Digest", "cronExpression", "DigestCron"),
    )
}
_VARIABLE = re.compile(r"Resources\.Function\.Properties\.EnvironmentVariables\.(?P<name>\w+)")


def variable_of(parameter: str) -> str:
    """Return the variable that a parameter is passed on in: ``MAX_REBOOTS`` for ``MaxReboots``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def check(given: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is wrong with parameters, each by itself. An empty one is not passed on, so it is not looked at."""
    for parameter, text in given.items():
        if parameter == _REQUEST:
            yield from (Finding(f"Parameters.{parameter}", text, why) for why in timer_request.mistakes(text))
        variable = _BY_NAME.get(variable_of(parameter))
        if variable is None or not text:
            continue
        try:
            variable.parse(text)
        except ValueError as error:
            yield Finding(f"Parameters.{parameter}", "***" if variable.secret else text, str(error))


def named(findings: Iterable[Finding], parameters: Iterable[str]) -> list[Finding]:
    """Return findings with the parameter in place of what it is passed on in, where there is one."""
    by_variable = {variable_of(parameter): parameter for parameter in parameters}

    def of(finding: Finding) -> Finding:
        match = _VARIABLE.fullmatch(finding.path)
        parameter = by_variable.get(match["name"]) if match else _OF_TRIGGER.get(finding.path)
        return finding._replace(path=f"Parameters.{parameter}") if parameter else finding

    return [of(finding) for finding in findings]
