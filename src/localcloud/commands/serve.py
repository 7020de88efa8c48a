"""``python -m localcloud serve``: the local cloud with all its services, until interrupted."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloud_languages.template.parameters import WrongParameters
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import KeyPair
from localcloud.account.fleet import default, load
from localcloud.account.mistakes import DeclarationError
from localcloud.commands.deployed import Deployment, cloud_of, deployment, register
from localcloud.commands.invoke import UsageError, settings_of
from localcloud.commands.project_function import project_function
from localcloud.functioncompute.function import Function, InvalidFunction
from localcloud.server.server import Running, serve

HIGHEST_PORT = 65_535
#: The account's AccessKey, where it is not to be drawn at each start: both or neither.
KEY_ID, KEY_SECRET = "LOCALCLOUD_ACCESS_KEY_ID", "LOCALCLOUD_ACCESS_KEY_SECRET"


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status: 0 ended, 1 the port is taken, 2 called wrongly."""
    options = _parser(os.environ).parse_args(arguments)
    try:
        fleet = load(options.fleet) if options.fleet else default()
        deployed = deployment(fleet.account, settings_of(options.params)) if options.deployed else None
        cloud = cloud_of(fleet, deployed, _key(options))
        _function(cloud, "http://127.0.0.1:65535", options, deployed)  # tells of mistakes before anything is started
    except (DeclarationError, InvalidFunction, UsageError, WrongParameters) as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{options.fleet}: can't be read: {error}\n")
        return 2
    try:
        serve(cloud, options.port, lambda where: _announce(where, options, deployed))
    except OSError as error:
        sys.stderr.write(f"port {options.port}: {error.strerror}: choose another with --port\n")
        return 1
    return 0


def _announce(where: Running, options: argparse.Namespace, deployed: Deployment | None) -> None:
    root = where.cloud.credentials.root
    function = _function(where.cloud, where.url, options, deployed)
    register(where.functions, function, deployed)
    line = {
        "ecs": where.url,
        "sls": where.url,
        "fc": where.url,
        "function": function.name,
        "admin": where.admin,
        "console": where.console,
        "access_key_id": root.access_key_id,
        "access_key_secret": root.access_key_secret,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _function(cloud: Cloud, url: str, options: argparse.Namespace, deployed: Deployment | None) -> Function:
    code = Path(options.code) if options.code else None
    return project_function(cloud, url, settings_of(options.set), code=code, deployed=deployed)


def _key(options: argparse.Namespace) -> KeyPair | None:
    given = KeyPair(options.access_key_id, options.access_key_secret)
    if all(given):
        return given
    if any(given):
        raise UsageError(f"an AccessKey has an ID and a secret: give both {KEY_ID} and {KEY_SECRET}, or neither")
    return None


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud serve",
        description="Answer until interrupted. The first line printed says where and with which key, as JSON.",
    )

    def default_of(name: str) -> str:
        return environment.get(name, "")

    parser.add_argument("--port", type=_port, default=0, help="the port on 127.0.0.1; default: a free one")
    parser.add_argument("--fleet", default="", help="a fleet file, YAML or JSON; default: a small built-in fleet")
    parser.add_argument(
        "--code", default=default_of("CODE"), help="directory of the function's code, also as CODE; default: the source"
    )
    parser.add_argument(
        "--set", default=default_of("SET"), help='the function\'s variables, also as SET: "KEY=VALUE ..."'
    )
    parser.add_argument(
        "--deployed",
        action="store_true",
        default=default_of("DEPLOYED") not in ("", "0"),
        help="the function as template.yml has it, also as DEPLOYED=1",
    )
    parser.add_argument(
        "--params", default=default_of("PARAMS"), help='the template\'s parameters, also as PARAMS: "Key=Value ..."'
    )
    parser.add_argument(
        "--access-key-id", default=default_of(KEY_ID), help=f"the account's key, also as {KEY_ID}; default: drawn"
    )
    parser.add_argument("--access-key-secret", default=default_of(KEY_SECRET), help=f"its secret, also as {KEY_SECRET}")
    return parser


def _port(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535, or 0 for a free one")
    return int(text or 0)
