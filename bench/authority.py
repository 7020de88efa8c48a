"""A throwaway certificate authority, with a directory of hashed names as Debian's images have it."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Authority(NamedTuple):
    """``known``: the directory that holds its certificate under its hash."""

    place: Path
    known: Path
    certificate: Path
    key: Path


def create(place: Path, name: str) -> Authority:
    """Make an authority with an RSA key of 2,048 bits. Raises FileNotFoundError where there is no openssl."""
    known = place / f"{name}-known"
    known.mkdir(parents=True, exist_ok=True)
    certificate, key = place / f"{name}.pem", place / f"{name}.key"
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        key,
        "-out",
        certificate,
    )
    digest = _openssl("x509", "-hash", "-noout", "-in", certificate).strip()
    (known / f"{digest}.0").write_bytes(certificate.read_bytes())
    return Authority(place, known, certificate, key)


def issue(authority: Authority, name: str, subject: str) -> tuple[Path, Path]:
    """Issue a server certificate for a subject such as ``IP:127.0.0.1``; return certificate and key."""
    place = authority.place
    request, key, certificate, extra = (place / f"{name}.{ending}" for ending in ("csr", "key", "pem", "ext"))
    extra.write_text(f"subjectAltName={subject}\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    _openssl(
        "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial",
        "-days", "2", "-extfile", extra, "-out", certificate,
    )  # fmt: skip
    return certificate, key


def _openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True)
    return done.stdout
