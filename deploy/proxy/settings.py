"""The settings of nginx's configuration: what the placeholders of the template stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.access.certificates import Certificates

TEMPLATE = Path(__file__).with_name("nginx.conf.template")
PLACEHOLDER = re.compile(r"\$\{(PROXY_[A-Z_]+)\}")
Settings = dict[str, str]


@dataclass(frozen=True)
class Limits:
    """What one API key may do."""

    rate: str = "20r/s"
    """Requests on the long run, in nginx's notation."""
    burst: int = 100
    """Requests at once on top of the rate."""
    in_flight: int = 32
    """Requests at a time."""
    body: str = "320m"
    """Largest photo, in nginx's notation; a 45-megapixel TIFF with 16 bits and no compression is 270 MB."""

    def settings(self) -> Settings:
        """The settings under the names of the template's placeholders."""
        return {
            "PROXY_RATE": self.rate,
            "PROXY_BURST": str(self.burst),
            "PROXY_IN_FLIGHT": str(self.in_flight),
            "PROXY_BODY": self.body,
        }


@dataclass(frozen=True)
class Server:
    """A Triton behind the proxy: where it listens, such as `127.0.0.1:8000`."""

    http: str
    grpc: str

    @classmethod
    def at(cls, http_url: str, grpc_url: str) -> Server:
        """A server from URLs such as those of `deploy.server.TritonServer`."""
        return cls(urlsplit(http_url).netloc, urlsplit(grpc_url).netloc)


def filled(settings: Mapping[str, str]) -> str:
    """The template with all of its placeholders filled in."""
    return PLACEHOLDER.sub(lambda match: settings[match[1]], TEMPLATE.read_text())


def of_certificates(certificates: Certificates, *, mutual: bool) -> Settings:
    """The proxy's certificate, and whether clients need one of the same authority."""
    certificate, key = certificates.server
    authority = f"ssl_client_certificate {certificates.authority.resolve()}; ssl_verify_client on;"
    return {
        "PROXY_CERTIFICATE": str(certificate.resolve()),
        "PROXY_CERTIFICATE_KEY": str(key.resolve()),
        "PROXY_CLIENT_CERTIFICATES": authority if mutual else "",
    }


def of_servers(servers: Sequence[Server]) -> Settings:
    """The servers behind the proxy, for both protocols."""
    return {
        "PROXY_HTTP_SERVERS": _upstream(server.http for server in servers),
        "PROXY_GRPC_SERVERS": _upstream(server.grpc for server in servers),
    }


def _upstream(addresses: Iterable[str]) -> str:
    return " ".join(f"server {address} max_fails=1 fail_timeout=2s;" for address in addresses)
