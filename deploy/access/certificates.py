"""Certificates for TLS inside a studio: an authority of your own, one certificate for the server, one for clients.

Writes into secrets/: ca.pem (clients trust it), server.pem and server.key, client.pem and client.key (for mutual TLS).
The authority's own key ca.key is needed for new certificates alone: keep it away from the server. Run it again for new
certificates of the same authority. Needs openssl.
"""

import ipaddress
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from command_line.ending import UserError
from files.checkout import SECRETS

AUTHORITY_DAYS = 3650
DAYS = 397
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class CertificatesError(UserError):
    """The certificates cannot be used or made; the message says what to do."""


@dataclass(frozen=True)
class Certificates:
    """Where the files of TLS lie, all PEM."""

    folder: Path = SECRETS

    @property
    def authority(self) -> Path:
        """The authority's certificate, which both sides trust."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> tuple[Path, Path]:
        """The server's certificate and key."""
        return self.folder / "server.pem", self.folder / "server.key"

    @property
    def client(self) -> tuple[Path, Path]:
        """A client's certificate and key."""
        return self.folder / "client.pem", self.folder / "client.key"

    def check(self, *, mutual: bool = False) -> None:
        """Look for what a server needs.

        Raises:
            CertificatesError: a file is missing; the message has the command that makes it.
        """
        for path in [*self.server, *([self.authority] if mutual else [])]:
            if not path.is_file():
                command = f"python3 -m deploy.access certificates {socket.getfqdn()}"
                raise CertificatesError(f"no certificate {path}; make it: {command}")


def make(hosts: Sequence[str], certificates: Certificates) -> None:
    """Make the authority where there is none, and new certificates for server and clients.

    Args:
        hosts: names and addresses by which clients reach the server.
        certificates: where to write.

    Raises:
        CertificatesError: openssl is missing, or refuses a host.
    """
    certificates.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority_key = certificates.folder / "ca.key"
    if not authority_key.exists():
        _openssl("req", "-x509", *CURVE, "-days", f"{AUTHORITY_DAYS}", "-subj", "/CN=Photo enhancer authority",
                 "-keyout", authority_key, "-out", certificates.authority)  # fmt: skip
    names = ",".join(_alternative_name(host) for host in dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))
    server = f"subjectAltName={names}\nextendedKeyUsage=serverAuth"
    _issue(certificates, *certificates.server, f"/CN={hosts[0]}", server)
    _issue(certificates, *certificates.client, "/CN=photo enhancer client", "extendedKeyUsage=clientAuth")


def _issue(certificates: Certificates, certificate: Path, key: Path, subject: str, extensions: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        request, extensions_file = Path(folder, "request.pem"), Path(folder, "extensions")
        extensions_file.write_text(f"{extensions}\nbasicConstraints=critical,CA:false\n")
        _openssl("req", *CURVE, "-subj", subject, "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", certificates.authority,
                 "-CAkey", certificates.folder / "ca.key", "-CAcreateserial", "-days", f"{DAYS}",
                 "-extfile", extensions_file, "-out", certificate)  # fmt: skip


def _alternative_name(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CertificatesError("openssl is missing; install it: apt-get install openssl") from None
    if done.returncode:
        raise CertificatesError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
