"""Sends every ECS call that the function can make, with every parameter filled in, at one fixed time and nonce.

    python wire_calls.py DIRECTORY PORT METHOD...

DIRECTORY is put before everything on the path: the package, or the source beside an untouched SDK. Time and chance are
replaced in the standard library, before the SDK is imported; neither the SDK nor the function is touched.
"""

import datetime as dt
import inspect
import random
import sys
import threading
import time
from typing import Any

DIRECTORY, PORT, METHODS = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path.insert(0, DIRECTORY)

import ecs_reboot.model  # noqa: E402, F401 - its schemas need the real datetime

MOMENT = 1_763_863_200.0


class Fixed(dt.datetime):
    """A clock that stands."""

    @classmethod
    def utcnow(cls) -> "Fixed":
        """Return the moment."""
        return cls(2025, 11, 23, 2, 0, 0)


dt.datetime = Fixed  # type: ignore[misc]
time.time = lambda: MOMENT
get_ident = threading.get_ident
threading.get_ident = lambda: 1
random.getrandbits = lambda bits: bits

from alibabacloud_ecs20140526 import models  # noqa: E402
from alibabacloud_ecs20140526.client import Client  # noqa: E402
from alibabacloud_tea_openapi.utils_models import Config  # noqa: E402
from darabonba.runtime import RuntimeOptions  # noqa: E402

from ecs_reboot.cloud.credentials import Credentials  # noqa: E402
from ecs_reboot.cloud.ecs import _Signer  # noqa: E402


def filled(model: Any, depth: int = 0) -> Any:
    """Make a request with every parameter set, by what its constructor says of its types."""
    fields = {}
    for number, (name, parameter) in enumerate(inspect.signature(model).parameters.items()):
        annotation = str(parameter.annotation)
        many = annotation.startswith("List[")
        kind = annotation.removeprefix("List[").removesuffix("]")
        if kind.startswith("main_models."):
            value: Any = filled(getattr(models, kind.rpartition(".")[2]), depth + 1)
        else:
            value = {"str": f"{name} 值/~*+&={number}", "int": number, "bool": bool(number % 2)}[kind]
        fields[name] = [value, value] if many else value
    return model(**fields)


for token in ("", "a security token+/="):
    keys = Credentials(access_key_id="id", access_key_secret="secret", security_token=token)
    client = Client(
        Config(
            credential=_Signer(keys),
            region_id="cn-hangzhou",
            endpoint=f"127.0.0.1:{PORT}",
            protocol="http",
            user_agent="ecs-reboot",
        )
    )
    for method in METHODS:
        call = getattr(client, method)
        request = str(inspect.signature(call).parameters["request"].annotation).rpartition(".")[2]
        call(filled(getattr(models, request)), RuntimeOptions(connect_timeout=3000, read_timeout=3000))

threading.get_ident = get_ident  # the interpreter's own end looks for its main thread
