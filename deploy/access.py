"""Who may do what at Triton itself: TLS for gRPC, an operator's key for everything that clients do not need.

Inference, health and metadata stay open to whoever reaches the port. Shared memory, configuration, statistics, trace
and log settings need the operator's key over HTTP, where any page in a browser can send requests; over gRPC where it is
asked for. Model control is the watchdog's alone (deploy/watchdog.py). The key travels in a header:

    curl --header "operator-key: $(cat secrets/operator.key)" http://127.0.0.1:8000/v2/models/stats
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.certificates import SECRETS, Certificates

OPERATORS = ("shared-memory", "model-config", "statistics", "trace", "logging")
"""Protocols that need the operator's key."""
OPERATOR_KEY = "operator.key"
HTTP_HEADER = "operator-key"
FORWARDED_HEADERS = "(?i)(host|origin)"
"""By which the models know requests of foreign pages (serving.browsers)."""
GRPC_HEADER = f"triton-grpc-protocol-{HTTP_HEADER}"


@dataclass(frozen=True)
class Access:
    """What tritonserver is told about its clients."""

    tls: str | None = None
    """Of gRPC: None, `server`, or `mutual` where clients need a certificate, too. Triton's HTTP knows none."""
    restricted: bool = False
    """Whether the protocols in `OPERATORS` need the operator's key over gRPC, too."""
    secrets: Path = SECRETS
    """Folder of the certificates and the operator's key, which is made where there is none."""

    @property
    def operator_key_file(self) -> Path:
        """Where the operator finds the key; readable for the one who started the server alone."""
        return self.secrets / OPERATOR_KEY

    def check(self) -> None:
        """Look for the certificates before anything starts.

        Raises:
            CertificatesError: one is missing; the message has the command that makes it.
        """
        if self.tls:
            Certificates(self.secrets).check(mutual=self.tls == "mutual")

    def options(self, mounted: Path | None = None) -> tuple[str, ...]:
        """For tritonserver's command line; in a container, with the folder where the secrets are mounted."""
        return (*self._tls_options(Certificates(mounted or self.secrets)), *self._restriction_options())

    def _tls_options(self, certificates: Certificates) -> tuple[str, ...]:
        certificate, key = certificates.server
        server = ("--grpc-use-ssl=true", f"--grpc-server-cert={certificate}", f"--grpc-server-key={key}")
        mutual = ("--grpc-use-ssl-mutual=true", f"--grpc-root-cert={certificates.authority}")
        return {None: (), "server": server, "mutual": (*server, *mutual)}[self.tls]

    def _restriction_options(self) -> tuple[str, ...]:
        rule = f"{','.join(OPERATORS)}:{HTTP_HEADER}={operator_key(self.secrets)}"
        pages = f"--http-header-forward-pattern={FORWARDED_HEADERS}"
        grpc = (f"--grpc-restricted-protocol={rule}",) if self.restricted else ()
        return pages, f"--http-restricted-api={rule}", *grpc


def operator_key(folder: Path = SECRETS) -> str:
    """The operator's key in a folder of secrets; made, and readable for its owner alone, where there is none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / OPERATOR_KEY
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text()


def redacted(text: str) -> str:
    """A command line as it may be shown: without the operator's key."""
    return re.sub(rf"({HTTP_HEADER}[=:])[0-9a-f]+", r"\1...", text)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that starts tritonserver."""
    parser.add_argument("--tls", choices=["server", "mutual"], help="encrypt gRPC; HTTP then stays on this machine")
    parser.add_argument("--restricted", action="store_true", help="ask for the operator's key over gRPC, too")
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of certificates and keys")


def access_from(options: argparse.Namespace) -> Access:
    """What these options say."""
    return Access(options.tls, options.restricted, options.secrets)
