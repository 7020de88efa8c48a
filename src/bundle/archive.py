"""The package as files and as a zip: same content, same bytes, whenever and by whomever it is written."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bundle.distributions import Distribution

#: The oldest time that a zip can hold; byte code here does not look at source times.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644

MANIFEST = "manifest.json"


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Put the files under a directory, in place of what was there."""
    shutil.rmtree(directory, ignore_errors=True)
    for path, data in sorted(files.items()):
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o644)


def replace(fresh: Path, directory: Path) -> None:
    """Put one directory in the place of another."""
    shutil.rmtree(directory, ignore_errors=True)
    fresh.rename(directory)


def pack(files: Mapping[str, bytes], path: Path) -> None:
    """Write the zip: sorted, with fixed times and modes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = _MODE << 16
            entry.create_system = 3  # Unix, so that the mode counts
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def manifest(files: Mapping[str, bytes], distributions: Iterable[Distribution], facts: Mapping[str, str]) -> bytes:
    """Return the bill of materials (CycloneDX 1.6): each package's version, licence, hash, and its files' hashes."""
    distributions = list(distributions)
    owners = {
        top: distribution.name
        for distribution in distributions
        for top in {path.partition("/")[0] for path in distribution.members}
    }
    kept: dict[str, list[dict[str, Any]]] = {}
    for path, data in sorted(files.items()):
        kept.setdefault(owners.get(path.partition("/")[0], ""), []).append(
            {"type": "file", "name": path, "hashes": [_hash(hashlib.sha256(data).hexdigest())]}
        )
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "ecs-reboot",
                "licenses": [{"license": {"name": "Apache-2.0"}}],
                "components": kept.get("", []),
            },
            "properties": [{"name": f"ecs-reboot:{key}", "value": value} for key, value in facts.items()],
        },
        "components": [
            {
                "type": "library",
                "name": distribution.name,
                "version": distribution.version,
                "purl": f"pkg:pypi/{distribution.name.lower().replace('_', '-')}@{distribution.version}",
                "licenses": [{"license": {"name": distribution.licence}}],
                "hashes": [_hash(distribution.sha256)],
                "properties": [{"name": "ecs-reboot:file", "value": distribution.file}],
                "components": kept.get(distribution.name, []),
            }
            for distribution in distributions
        ],
    }
    return (json.dumps(bill, indent=1, ensure_ascii=False) + "\n").encode()


def _hash(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}
