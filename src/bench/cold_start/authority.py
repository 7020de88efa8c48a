"""A throwaway certificate authority, with a directory of hashed names as Debian's images have it."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from trustme import CA, KeyType


class Authority(NamedTuple):
    """``known``: the directory that holds its certificate under its hash."""

    issuer: CA
    known: Path


def create(known: Path) -> Authority:
    """Make an authority with an RSA key of 2,048 bits. Raises FileNotFoundError where there is no openssl."""
    known.mkdir(parents=True, exist_ok=True)
    issuer, certificate = CA(key_type=KeyType.RSA), known / "ca.pem"
    issuer.cert_pem.write_to_path(certificate)
    # The hash of a name is OpenSSL's own; no library computes it.
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate], capture_output=True, text=True, check=True
    )
    certificate.rename(known / f"{hashed.stdout.strip()}.0")
    return Authority(issuer, known)


def issue(authority: Authority, file: Path, host: str) -> Path:
    """Issue a server certificate for a host name or address; return the file that holds it, with its key."""
    issued = authority.issuer.issue_cert(host, key_type=KeyType.RSA)
    issued.private_key_and_cert_chain_pem.write_to_path(file)
    return file
