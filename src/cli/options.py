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


def switch(name: str, meaning: str) -> Decorator:
    """Take ``--name``, or its variable as 1."""
    return option(name, meaning, is_flag=True, default=False)


fleet = option("fleet", "Fleet file, YAML or JSON, or demo: that of the demo; without: a small one.")
settings = option("set", "The function's settings: \"KEY=VALUE KEY='with spaces'\".")
code = option("code", "Directory of the function's code, as `build` makes it; without: the source.")
deployed = switch("deployed", "The function as template.yml has it: settings, role, share of a processor.")
parameters = option("params", "Parameters of the template: \"Key=Value Key='with spaces'\".")
records = option("records", "File with exported records.")
template = click.option("--template", default="", help="The template; without: template.yml.")
region = option("region", "Region ID.", default="cn-hangzhou")
stack = click.option("--name", "--stack", default="ecs-reboot", envvar="STACK", show_envvar=True, help="The stack.")
endpoint = option("endpoint", "One address for all services: a local cloud, as `serve` prints it.")


class Port(click.ParamType[int]):
    """A port of this machine; 0 takes a free one."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a port; '' is 0."""
        text = str(value)
        if text and not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
            self.fail(f"{text!r} is not a port: 1 to {HIGHEST_PORT}, or 0 for a free one", param, ctx)
        return int(text or 0)
