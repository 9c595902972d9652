"""Access control of Triton itself: TLS for gRPC, an operator's key for everything that clients do not need.

Inference, health and metadata stay open to whoever reaches the port. Shared memory, configuration, statistics, trace
and log settings need the operator's key over HTTP, where any page in a browser can send requests; over gRPC where it is
asked for. Model control is the watchdog's alone (deploy/server/watchdog.py). The key travels in a header:

    curl --header "operator-key: $(cat secrets/operator.key)" http://127.0.0.1:8000/v2/models/stats
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.access.certificates import Certificates
from deploy.access.operator_key import key_file, operator_key
from deploy.server.start import OPERATOR_KEY, OPERATORS
from files.checkout import SECRETS

HTTP_HEADER = OPERATORS.partition(":")[2]
FORWARDED_HEADERS = "(?i)(host|origin)"
"""By which the models know requests of foreign pages (serving.browsers)."""
GRPC_HEADER = f"triton-grpc-protocol-{HTTP_HEADER}"


@dataclass(frozen=True)
class Access:
    """What tritonserver is told about its clients."""

    tls: str | None = None
    """Of gRPC: None, `server`, or `mutual` where clients need a certificate, too. Triton's HTTP knows none."""
    restricted: bool = False
    """Whether the protocols of `deploy.server.start.OPERATORS` need the operator's key over gRPC, too."""
    secrets: Path = SECRETS
    """Folder of the certificates and the operator's key, which is made where there is none."""

    @property
    def operator_key_file(self) -> Path:
        """The file with the operator's key, readable only by the user who started the server."""
        return key_file(self.secrets)

    def check(self) -> None:
        """Look for the certificates before anything starts.

        Raises:
            CertificatesError: one is missing; the message has the command that makes it.
        """
        if self.tls:
            Certificates(self.secrets).check(mutual=self.tls == "mutual")

    def options(self) -> tuple[str, ...]:
        """Options of tritonserver."""
        key = operator_key(self.secrets)
        return (f"--http-restricted-api={OPERATORS}={key}", *self._options(self.secrets, key))

    def container_options(self, certificates: Path) -> tuple[str, ...]:
        """Options in a container, where start.py restricts HTTP and the watchdog reads the key from a file.

        Args:
            certificates: the folder where they are mounted.
        """
        return self._options(certificates, f"@{OPERATOR_KEY}")

    def _options(self, certificates: Path, key: str) -> tuple[str, ...]:
        grpc = (f"--grpc-restricted-protocol={OPERATORS}={key}",) if self.restricted else ()
        pages = f"--http-header-forward-pattern={FORWARDED_HEADERS}"
        return (*self._tls_options(Certificates(certificates)), pages, *grpc)

    def _tls_options(self, certificates: Certificates) -> tuple[str, ...]:
        certificate, key = certificates.server
        server = ("--grpc-use-ssl=true", f"--grpc-server-cert={certificate}", f"--grpc-server-key={key}")
        mutual = ("--grpc-use-ssl-mutual=true", f"--grpc-root-cert={certificates.authority}")
        return {None: (), "server": server, "mutual": (*server, *mutual)}[self.tls]


def redacted(text: str) -> str:
    """A command line as it may be shown: without the operator's key."""
    return re.sub(rf"({HTTP_HEADER}[=:])[0-9a-f]+", r"\1...", text)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that starts tritonserver."""
    parser.add_argument("--tls", choices=["server", "mutual"], help="encrypt gRPC; HTTP then stays on this machine")
    parser.add_argument("--restricted", action="store_true", help="ask for the operator's key over gRPC, too")
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of certificates and keys")


def access_from(options: argparse.Namespace) -> Access:
    """The access that these options describe."""
    return Access(options.tls, options.restricted, options.secrets)
