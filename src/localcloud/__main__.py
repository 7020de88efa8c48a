"""``python -m localcloud serve``: serve the local cloud."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from localcloud.account.fleet import Fleet, default, load
from localcloud.account.mistakes import DeclarationError

HIGHEST_PORT = 65_535


def main(argv: Sequence[str]) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed, 2 called wrongly."""
    arguments = _parser().parse_args(argv)
    try:
        fleet = load(arguments.fleet) if arguments.fleet else default()
    except DeclarationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{arguments.fleet}: can't be read: {error}\n")
        return 2
    return _serve(fleet, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud", description="A stand-in for Alibaba Cloud on loopback."
    )
    commands = parser.add_subparsers(title="commands", required=True)
    serve = commands.add_parser("serve", help="answer until interrupted; the first line printed says where, as JSON")
    serve.add_argument("--port", type=_port, default=0, help="the port on 127.0.0.1; default: a free one")
    serve.add_argument("--fleet", default="", help="a fleet file, YAML or JSON; default: a small built-in fleet")
    serve.add_argument(
        "--code",
        default=os.environ.get("CODE", ""),
        help="directory of the function's code, also as CODE; default: the source",
    )
    serve.add_argument(
        "--set", default=os.environ.get("SET", ""), help='the function\'s variables, also as SET: "KEY=VALUE ..."'
    )
    serve.add_argument(
        "--deployed",
        action="store_true",
        default=os.environ.get("DEPLOYED", "") not in ("", "0"),
        help="the function as template.yml has it, also as DEPLOYED=1",
    )
    serve.add_argument(
        "--params",
        default=os.environ.get("PARAMS", ""),
        help='the template\'s parameters, also as PARAMS: "Key=Value ..."',
    )
    return parser


def _port(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535, or 0 for a free one")
    return int(text or 0)


def _serve(fleet: Fleet, arguments: argparse.Namespace) -> int:
    # The other commands have no use for these.
    from cloud_languages.template.parameters import WrongParameters  # noqa: PLC0415
    from localcloud.commands.deployed import cloud_of, deployment, register  # noqa: PLC0415
    from localcloud.commands.invoke import UsageError, settings_of  # noqa: PLC0415
    from localcloud.commands.project_function import project_function  # noqa: PLC0415
    from localcloud.functioncompute.function import Function, InvalidFunction  # noqa: PLC0415
    from localcloud.server.server import Running, serve  # noqa: PLC0415

    try:
        deployed = deployment(fleet.account, settings_of(arguments.params)) if arguments.deployed else None
    except (UsageError, WrongParameters) as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    cloud = cloud_of(fleet, deployed)

    def function_at(url: str) -> Function:
        code = Path(arguments.code) if arguments.code else None
        return project_function(cloud, url, settings_of(arguments.set), code=code, deployed=deployed)

    def announce(where: Running) -> None:
        root = where.cloud.credentials.root
        function = function_at(where.url)
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

    try:
        function_at("http://127.0.0.1:65535")  # tells of mistakes before anything is started
    except (InvalidFunction, UsageError) as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    try:
        serve(cloud, arguments.port, announce)
    except OSError as error:
        sys.stderr.write(f"port {arguments.port}: {error.strerror}: choose another with --port\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
