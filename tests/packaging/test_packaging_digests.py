"""Nothing but the published files goes into the package: a changed one is refused, whatever it says of itself."""

import base64
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bundle import BuildError, digests

NAME = "thing-1.0-py3-none-any.whl"


def wheel(path: Path, *, body: bytes = b"x = 1\n", recorded: bytes | None = None, record: bool = True) -> Path:
    digest = base64.urlsafe_b64encode(hashlib.sha256(recorded or body).digest()).rstrip(b"=").decode()
    with zipfile.ZipFile(path / NAME, "w") as archive:
        archive.writestr("thing.py", body)
        if record:
            archive.writestr(
                "thing-1.0.dist-info/RECORD", f"thing.py,sha256={digest},6\nthing-1.0.dist-info/RECORD,,\n"
            )
    return path / NAME


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_published_file_is_taken(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert digests.check(path, {NAME: digest(path)}) == digest(path)


def test_a_file_changed_in_the_cache_is_refused(tmp_path: Path) -> None:
    known = {NAME: digest(wheel(tmp_path))}
    with pytest.raises(BuildError, match="the file was changed"):
        digests.check(wheel(tmp_path, body=b"x = 2\n"), known)


def test_a_file_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="make upgrade"):
        digests.check(wheel(tmp_path), {})


@pytest.mark.parametrize("changes", [{"recorded": b"y = 1\n"}, {"record": False}])
def test_a_wheel_that_is_not_as_its_record_says_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = wheel(tmp_path, **changes)
    with pytest.raises(BuildError, match="RECORD"):
        digests.check(path, {NAME: digest(path)})


def test_every_file_that_is_packed_has_its_digest() -> None:
    assert len(digests.known()) >= len(digests.PYTHONS) * len(digests._PLATFORMS) + 4
