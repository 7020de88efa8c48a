"""The function's variables as a form: what may be set, to what, and what is wrong with it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ecs_reboot.settings.groups import GROUPS
from ecs_reboot.settings.settings import Settings, SettingsError, load
from ecs_reboot.settings.variable_table import VARIABLES, Variable
from localcloud.commands.project_function import REGION
from localcloud.functioncompute.function import ENDPOINTS

#: The samples are dated 2024, the HTTP ones carry this token, and whoever watches wants to see the instance come back.
AT_FIRST = MappingProxyType({"MAX_EVENT_AGE_SECONDS": "0", "WEBHOOK_TOKEN": "demo-token", "VERIFY_SECONDS": "50"})
#: Where the function finds this local cloud; not for the form.
FIXED = (*ENDPOINTS, "LOG_PROJECT", "LOGSTORE", "EVIDENCE_BUCKET")
_SECRET = frozenset(variable.name for variable in VARIABLES if variable.secret)


class SettingsForm:
    """The values in force. ``fixed`` are the variables that the local cloud itself decides."""

    def __init__(self, fixed: Mapping[str, str], at_first: Mapping[str, str] = AT_FIRST) -> None:
        self._fixed = dict(fixed)
        self.values: Mapping[str, str] = at_first

    def environment(self, **more: str) -> dict[str, str]:
        """Return the function's variables, those of ``more`` on top."""
        return {**self._fixed, **self.values, **more}

    def settings(self, **more: str) -> Settings:
        """Return the settings as the function reads them."""
        return load({**self.environment(**more), "FC_REGION": REGION})

    def describe(self) -> dict[str, Any]:
        """Describe the form for the page: of a secret it says only whether it is set."""
        groups = [
            {
                "en": group.english,
                "zh-CN": group.chinese,
                "fields": [self._field(variable) for variable in group.variables() if variable.name not in FIXED],
            }
            for group in GROUPS
        ]
        shown = [group for group in groups if group["fields"]]
        return {"groups": shown, "fixed": {name: self._fixed.get(name, "") for name in FIXED}}

    def _field(self, variable: Variable) -> dict[str, Any]:
        return {
            "name": variable.name,
            "default": variable.default,
            "value": "" if variable.secret else self.values.get(variable.name, variable.default),
            "set": variable.name in self.values,
            "secret": variable.secret,
            "choices": variable.choices,
            "meaning": variable.meaning,
        }

    def checked(self, values: Mapping[str, str]) -> tuple[dict[str, str], list[dict[str, str]]]:
        """Return the values that differ from the defaults, and the mistakes in them.

        An empty secret keeps the one in force.
        """
        defaults = {variable.name: variable.default for variable in VARIABLES}
        kept = {name: self.values[name] for name in _SECRET if not values.get(name) and name in self.values}
        chosen = {name: value for name, value in values.items() if value != defaults.get(name)} | kept
        mistakes = [_mistake(name, value, "the console sets this one itself") for name, value in chosen.items()
                    if name in FIXED]  # fmt: skip
        try:
            load({**chosen, **self._fixed})
        except SettingsError as error:
            mistakes += [_mistake(mistake.variable, mistake.value, mistake.remedy) for mistake in error.mistakes]
        return chosen, mistakes


def _mistake(variable: str, value: str, remedy: str) -> dict[str, str]:
    return {"variable": variable, "value": value, "remedy": remedy}
