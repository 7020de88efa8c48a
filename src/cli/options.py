"""Options that several commands take. Each may also come from the environment variable of its name; empty is absent."""

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
HIGHEST_PORT = 65_535


class Mistake(ValueError):
    """What was given can't be used; the text is the whole sentence for the user."""


def option(name: str, meaning: str, *, variable: str = "", **more: Any) -> Decorator:
    """Take ``--name``, or the environment variable of that name."""
    more.setdefault("default", "")
    return click.option(
        f"--{name}", envvar=variable or name.upper().replace("-", "_"), show_envvar=True, help=meaning, **more
    )


class OnOff(click.types.BoolParamType):
    """A switch: 1 or 0 in its variable, and the other words that click takes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Read a switch. Fails with the two words that a person would write."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither 1 nor 0: 1 is on, 0 or nothing is off", param, ctx)


def switch(name: str, meaning: str) -> Decorator:
    """Take ``--name``, or its variable as 1."""
    return option(name, meaning, is_flag=True, default=False, type=OnOff())


class Number(click.ParamType[int]):
    """A whole number of something, such as a ``number of minutes``; ``least`` is the smallest that is taken."""

    name = "number"

    def __init__(self, of: str, least: int | None = None) -> None:
        self._of, self._least = of, least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number. Fails with the name of what it counts."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a {self._of}", param, ctx)
        if self._least is not None and number < self._least:
            self.fail(f"{value} is not a {self._of}: give {self._least} or more", param, ctx)
        return number


class Address(click.ParamType[str]):
    """The address of a cloud, with its scheme; '' is none."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read an address. Fails where the scheme is missing, or is another than http and https."""
        text = str(value)
        scheme, found, host = text.partition("://")
        if text and not found:
            self.fail(f"{text!r} has no scheme: write http://{text}", param, ctx)
        if text and (scheme not in ("http", "https") or not host):
            self.fail(f"{text!r} is no address like http://127.0.0.1:8080", param, ctx)
        return text


class Region(click.ParamType[str]):
    """A region ID."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a region ID. Fails for what has not the form of one; whether there is one, only a cloud knows."""
        from ecs_reboot.events.region import is_listed  # noqa: PLC0415 - each command loads what it uses

        if not is_listed(value):
            self.fail(f"{value!r} is no region ID: give one such as cn-hangzhou", param, ctx)
        return str(value)


class ResourceName(click.ParamType[str]):
    """The name of a resource, such as a ``stack``; ``kind`` is its type in the table of names."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self._kind = name, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a name. Fails for what its service does not take."""
        from cloud_languages.resource_names import RULES  # noqa: PLC0415

        if mistake := RULES[self._kind].mistake(str(value)):
            self.fail(f"{value!r} is no name of a {self.name}: {mistake}", param, ctx)
        return str(value)


STACK_NAME = ResourceName("stack", "ALIYUN::ROS::Stack")
FUNCTION_NAME = ResourceName("function", "ALIYUN::FC3::Function")


class AccountId(click.ParamType[str]):
    """The ID of an account."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read an ID. Fails for what is no number."""
        text = str(value)
        if not (text.isascii() and text.isdigit()):
            self.fail(f"{value!r} is no account ID: give its digits, such as 1234567890123456", param, ctx)
        return text


fleet = option("fleet", "Fleet file, YAML or JSON, or demo: that of the demo; without: a small one.")
settings = option("set", "The function's settings: \"KEY=VALUE KEY='with spaces'\".")
code = option("code", "Directory of the function's code, as `build` makes it; without: the source.")
deployed = switch("deployed", "The function as template.yml has it: settings, role, share of a processor.")
parameters = option("params", "Parameters of the template: \"Key=Value Key='with spaces'\".")
records = option("records", "File with exported records.")
template = click.option("--template", default="", help="The template; without: template.yml.")
#: Of what is built next: so that a mistake in it is told with the others, before a cloud is asked.
runtime_to_check = option("runtime", "With --check: the runtime that is built for next.")
region = option("region", "Region ID.", default="cn-hangzhou", type=Region())
endpoint = option("endpoint", "One address for all services: a local cloud, as `serve` prints it.", type=Address())
stack = click.option(
    "--name", "--stack", default="ecs-reboot", envvar="STACK", show_envvar=True, type=STACK_NAME, help="The stack."
)


class Port(click.ParamType[int]):
    """A port of this machine; 0 takes a free one."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a port; '' is 0."""
        text = str(value)
        if text and not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
            self.fail(f"{text!r} is not a port: 1 to {HIGHEST_PORT}, or 0 for a free one", param, ctx)
        return int(text or 0)
