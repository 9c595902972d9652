"""A restricted server, and the real nginx in front of it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from clients import Enhancer, Tls, api_key
from deploy.access import keys
from deploy.access.certificates import Certificates, make
from deploy.proxy import Proxy
from deploy.server.restrictions import Access
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo
from tests.tools import tool

PHOTO = encoded(photo(320, 200))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """As `deploy.access certificates` writes them."""
    made = Certificates(tmp_path_factory.mktemp("secrets"))
    make(["127.0.0.1"], made)
    return made


@pytest.fixture(scope="session")
def restricted_server(
    identity_repository: Path, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """As `make serve RESTRICTED=1` starts it."""
    access = Access(restricted=True, secrets=certificates.folder)
    log = tmp_path_factory.mktemp("restricted") / "server.log"
    with TritonServer(repository=identity_repository, access=access, log=log) as running:
        yield running


@dataclass
class Site:
    """A proxy, one key for it, and how to call it."""

    proxy: Proxy
    key: str

    @property
    def tls(self) -> Tls:
        return Tls(self.proxy.certificates.authority)

    @property
    def access_log(self) -> list[dict[str, object]]:
        """One entry for each request; it is written once the request is answered."""
        return [json.loads(line) for line in (self.proxy.logs / "access.log").read_text().splitlines()]

    def enhancer(self, protocol: str, **settings: object) -> Enhancer:
        url = {"grpc": self.proxy.grpcs_url, "http": self.proxy.https_url}[protocol]
        return Enhancer(url, **{"tls": self.tls, "headers": api_key(self.key), **settings})

    def http(self, key: str | None = None) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.proxy.certificates.authority)
        return httpx.Client(base_url=self.proxy.https_url, headers=api_key(key or self.key), verify=context)


def start(server: TritonServer, certificates: Certificates, folder: Path, **settings: object) -> Proxy:
    """A proxy with a key file of its own in the folder."""
    tool("nginx")
    urls = [(server.http_url, server.grpc_url)]
    return Proxy(urls, certificates=certificates, keys=folder / "api-keys", logs=folder / "logs", **settings)


@pytest.fixture(scope="session")
def site(
    restricted_server: TritonServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The proxy as it is by default."""
    folder = tmp_path_factory.mktemp("site")
    key = keys.add("studio", folder / "api-keys")
    with start(restricted_server, certificates, folder) as proxy:
        yield Site(proxy, key)
