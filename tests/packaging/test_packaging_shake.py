"""Tree shaking: what is reached stays as it is, and an SDK that has changed its shape stops the build."""

import ast
import base64
import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest
from packaged import WHEELS, build

from bundle import BuildError, sdk
from bundle.shake import Cuts, Shaken, shake

PACKAGE = {
    "kit": ("from .tools import Saw, Hammer\n\n__all__ = [Saw, Hammer]\n", True),
    "kit.tools": (
        """import json
import heavy
from heavy.parts import Handle, Grip
from os import path, sep


def sharpen(blade):   # kept   as it is
    return json.dumps(blade)


async def sharpen_async(blade):
    return await heavy.sharpen(blade)


class Hammer:
    def hit(self):
        return Handle()


class Saw:
    teeth = 12

    def __init__(self):
        self.edge = sharpen(self.teeth)

    def cut(self):
        return self.edge, sep

    def melt(self):
        return Grip()
""",
        False,
    ),
}


def shaken(live: set[str], cuts: Cuts | None = None, **changed: str) -> Shaken:
    modules = {**PACKAGE, **{name.replace("__", "."): (source, False) for name, source in changed.items()}}
    return shake(modules.get, {"kit"}, live, cuts or {})


def test_what_is_not_reached_goes_and_what_stays_is_not_touched() -> None:
    result = shaken({"Saw", "cut"})
    source = result.sources["kit.tools"]
    assert "def sharpen(blade):   # kept   as it is\n    return json.dumps(blade)\n" in source
    assert "from os import sep\n" in source
    for gone in ("heavy", "Hammer", "async", "melt", "Grip", "path"):
        assert gone not in source
    assert result.sources["kit"] == "from .tools import Saw\n\n"
    assert set(result.foreign) == {"json", "os"}


def test_a_name_that_is_reached_brings_its_imports() -> None:
    assert "heavy.parts" in shaken({"Hammer", "hit"}).foreign


def test_a_cut_is_not_followed() -> None:
    result = shaken({"Hammer", "hit"}, {"kit.tools": {"Handle": "never held"}})
    assert "heavy.parts" not in result.foreign
    assert "def hit(self)" in result.sources["kit.tools"]


def test_a_cut_that_no_longer_exists_is_an_error() -> None:
    with pytest.raises(BuildError, match=r"kit\.tools no longer has Saw\.bend"):
        shaken({"Saw"}, {"kit.tools": {"Saw.bend": "never bent"}})


def test_methods_that_somebody_elses_base_class_calls_are_kept() -> None:
    source = "import json\n\n\nclass Saw(json.JSONEncoder):\n    def default(self, o):\n        return 1\n"
    assert shaken({"Saw"}, kit__tools=source).sources["kit.tools"] == source


def test_a_name_that_nothing_defines_is_an_error() -> None:
    source = "if True:\n    del_me = 1\n\n\nclass Saw:\n    def cut(self):\n        return nowhere\n"
    with pytest.raises(BuildError, match="uses nowhere, which is not defined"):
        shaken({"Saw", "cut"}, kit__tools=source)


def test_models_are_resolved_when_they_are_asked_for() -> None:
    source = sdk.on_demand("from __future__ import annotations\nfrom ._one_request import OneRequest\n")
    tree = ast.parse(source)
    assert "'OneRequest': '_one_request'" in source
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["__getattr__"]
    with pytest.raises(BuildError, match="more than imports"):
        sdk.on_demand("from ._one import One\nregister(One)\n")


def published_as(wheel: Path, files: dict[str, bytes]) -> None:
    """Write the wheel with these files and a RECORD that says so, as another release would be."""
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    rows = {
        name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        for name, data in files.items()
        if name != record
    }
    text = "".join(f"{name},sha256={digest},\n" for name, digest in rows.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, text.encode() if name == record else data)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("def do_rpcrequest(", "def do_rpc_request(", "no longer has Client.do_rpcrequest"),
        ("import os\n", "import os\nimport turbo\n", "the SDK imports what it did not: turbo"),
    ],
)
def test_another_shape_of_the_sdk_stops_the_build(
    package: Path, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert package.is_dir()  # and so the wheels are there
    cache = tmp_path / "wheels"
    shutil.copytree(WHEELS / "host", cache / "host")
    (wheel,) = (cache / "host").glob("alibabacloud_tea_openapi-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    client = files["alibabacloud_tea_openapi/client.py"].decode()
    assert old in client
    client = client.replace(old, new, 1)
    if "turbo" in new:
        client = client.replace("headers = self._headers\n", "headers = turbo.faster(self._headers)\n", 1)
    published_as(wheel, files | {"alibabacloud_tea_openapi/client.py": client.encode()})
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (cache / "host").iterdir()]
    known = tmp_path / "digests.txt"
    known.write_text("".join(lines))
    done = build(tmp_path / "out" / "function", "--cache", str(cache), "--digests", str(known))
    assert done.returncode == 1
    assert complaint in done.stderr
    assert not (tmp_path / "out" / "function").exists()
