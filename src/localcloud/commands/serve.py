"""Serve: the local cloud with all its services, until interrupted."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from localcloud.account import fleets
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import KeyPair
from localcloud.commands.deployed import Deployment, asked_for, cloud_of, register
from localcloud.commands.project_function import ROLE_NAME, project_function
from localcloud.functioncompute.function import Function
from localcloud.functioncompute.own_function import OwnFunction
from localcloud.server.server import Running, serve
from terminal.key_values import UsageError, key_values

#: The account's AccessKey, where it is not to be drawn at each start: both or neither.
KEY_ID, KEY_SECRET = "LOCALCLOUD_ACCESS_KEY_ID", "LOCALCLOUD_ACCESS_KEY_SECRET"
#: Printed on a terminal in place of a secret that the user chose.
GIVEN = "***"


class ServeOptions(NamedTuple):
    """What to serve: paths and texts as the command line has them; '' is absent, port 0 is a free one."""

    port: int = 0
    fleet: str = ""
    code: str = ""
    set: str = ""
    deployed: bool = False
    params: str = ""
    access_key_id: str = ""
    access_key_secret: str = ""


def main(options: ServeOptions) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status: 0 ended, 1 the port is taken.

    Raises DeclarationError, InvalidFunction, UsageError and WrongParameters before anything is started.
    """
    fleet = fleets.chosen(options.fleet)
    deployed = asked_for(fleet.account, key_values("PARAMS", options.params), deployed=options.deployed)
    cloud = cloud_of(fleet, deployed, _key(options))
    _function(cloud, "http://127.0.0.1:65535", options, deployed)  # tells of mistakes before anything is started
    try:
        serve(cloud, options.port, lambda where: _announce(where, options, deployed))
    except OSError as error:
        sys.stderr.write(f"port {options.port}: {error.strerror}: choose another with --port\n")
        return 1
    return 0


def _announce(where: Running, options: ServeOptions, deployed: Deployment | None) -> None:
    root = where.cloud.credentials.root
    function = _function(where.cloud, where.url, options, deployed)
    register(where.functions, function, deployed)
    where.services.own = OwnFunction(
        function, key_values("SET", options.set), deployed.role_name if deployed else ROLE_NAME
    )
    line = {
        "ecs": where.url,
        "sls": where.url,
        "fc": where.url,
        "function": function.name,
        "admin": where.admin,
        "console": where.console,
        "access_key_id": root.access_key_id,
        # A program that reads the line needs it; a person who chose it does not, and a terminal is looked at.
        "access_key_secret": GIVEN if options.access_key_secret and sys.stdout.isatty() else root.access_key_secret,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    if sys.stdout.isatty():
        sys.stderr.write(f"open {where.console} in a browser; Ctrl-C ends it\n")
        sys.stderr.flush()


def _function(cloud: Cloud, url: str, options: ServeOptions, deployed: Deployment | None) -> Function:
    code = Path(options.code) if options.code else None
    return project_function(cloud, url, key_values("SET", options.set), code=code, deployed=deployed)


def _key(options: ServeOptions) -> KeyPair | None:
    given = KeyPair(options.access_key_id, options.access_key_secret)
    if not any(given):
        return None
    if not all(given):
        missing, there = (KEY_SECRET, KEY_ID) if given.access_key_id else (KEY_ID, KEY_SECRET)
        raise UsageError(f"{missing} is missing: an AccessKey has an ID and a secret, and {there} is given")
    return given
