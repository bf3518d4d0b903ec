"""A certificate of the tests' own."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for localhost that nobody but the test trusts."""

    file: Path
    key: Path

    def served(self) -> ssl.SSLContext:
        """What a server needs to show it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(place: Path) -> Certificate:
    """Sign one in a directory."""
    made = Certificate(file=place / "certificate.pem", key=place / "key.pem")
    for_localhost = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1")
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes")
    subprocess.run(
        [*new, *for_localhost, "-keyout", made.key, "-out", made.file], check=True, capture_output=True
    )
    return made
