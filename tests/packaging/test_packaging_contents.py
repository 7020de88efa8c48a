"""What is in the package, and that the same input gives the same bytes."""

import hashlib
import json
import zipfile
from pathlib import Path

from packaged import ROOT, build

UNCHECKED_HASH = b"\x01\x00\x00\x00"


def test_a_second_build_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    done = build(tmp_path / "function")
    assert done.returncode == 0, done.stderr
    first, second = package.with_name("function.zip"), tmp_path / "function.zip"
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_the_zip_holds_exactly_the_directory(package: Path) -> None:
    with zipfile.ZipFile(package.with_name("function.zip")) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
        assert {(info.date_time, info.external_attr >> 16) for info in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o100644)
        }
    assert packed == {
        path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*") if path.is_file()
    }


def test_the_zip_is_small(package: Path) -> None:
    assert package.with_name("function.zip").stat().st_size <= 3_500_000


def test_every_source_has_byte_code_that_ignores_its_times(package: Path) -> None:
    for source in package.rglob("*.py"):
        (code,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
        assert code.read_bytes()[4:8] == UNCHECKED_HASH, code


def test_only_what_is_known_is_packed(package: Path) -> None:
    assert {path.name for path in package.iterdir()} == {
        "__pycache__", "index.py", "ecs_reboot", "manifest.json", "licences", "pydantic.py", "pydantic_core",
        "Tea", "alibabacloud_ecs20140526", "alibabacloud_tea_openapi", "darabonba",
    }  # fmt: skip
    assert not [path for path in package.rglob("*") if path.suffix in {".pyi", ".c", ".txt", ".typed"}]
    assert len(list((package / "alibabacloud_ecs20140526" / "models").glob("*.py"))) < 30


def test_the_manifest_names_every_file_and_package(package: Path) -> None:
    bill = json.loads((package / "manifest.json").read_text())
    own = bill["metadata"]["component"]["components"]
    listed = {
        part["name"]: part["hashes"][0]["content"]
        for part in [*own, *(file for component in bill["components"] for file in component["components"])]
    }
    there = {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in package.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == there
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    for component in bill["components"]:
        assert f"{component['name']}=={component['version']}" in pinned
        assert component["licenses"][0]["license"]["name"] not in {"", "not stated"}
        (fetched,) = [declared for declared in component["properties"] if declared["name"] == "ecs-reboot:file"]
        kept = ROOT / "build" / "wheels" / "host" / fetched["value"]
        assert component["hashes"][0]["content"] == hashlib.sha256(kept.read_bytes()).hexdigest()


def test_licence_texts_go_along(package: Path) -> None:
    assert (package / "licences" / "pydantic_core" / "LICENSE").read_text().startswith("The MIT License")
