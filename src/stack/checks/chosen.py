"""Parameters that become settings of the function: read as it will read them, and named as the user typed them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cloud_languages.finding import Finding
from ecs_reboot.settings.variable_table import VARIABLES

_BY_NAME = {variable.name: variable for variable in VARIABLES}
_VARIABLE = re.compile(r"Resources\.Function\.Properties\.EnvironmentVariables\.(?P<name>\w+)")


def variable_of(parameter: str) -> str:
    """Return the variable that a parameter is passed on in: ``MAX_REBOOTS`` for ``MaxReboots``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def check(given: Mapping[str, str]) -> Iterator[Finding]:
    """Give what is wrong with parameters, each by itself. An empty one is not passed on, so it is not looked at."""
    for parameter, text in given.items():
        variable = _BY_NAME.get(variable_of(parameter))
        if variable is None or not text:
            continue
        try:
            variable.parse(text)
        except ValueError as error:
            yield Finding(f"Parameters.{parameter}", "***" if variable.secret else text, str(error))


def named(findings: Iterable[Finding], parameters: Iterable[str]) -> list[Finding]:
    """Return findings with the parameter in place of the variable of the function, where it has one."""
    by_variable = {variable_of(parameter): parameter for parameter in parameters}

    def of(finding: Finding) -> Finding:
        match = _VARIABLE.fullmatch(finding.path)
        parameter = by_variable.get(match["name"]) if match else None
        return finding._replace(path=f"Parameters.{parameter}") if parameter else finding

    return [of(finding) for finding in findings]
