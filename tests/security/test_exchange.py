"""Servers behind the proxy are exchanged while photos come in: none fails, and the old server gets no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients import Retry
from clients.errors import BusyError
from deploy.access import keys
from deploy.access.certificates import Certificates
from deploy.proxy import Limits
from deploy.server.triton import TritonServer
from tests.security.conftest import PHOTO, Site, start

NOBODY = ("http://127.0.0.1:1", "grpc://127.0.0.1:1")


@pytest.fixture
def site(restricted_server: TritonServer, certificates: Certificates, tmp_path: Path) -> Iterator[Site]:
    key = keys.add("studio", tmp_path / "api-keys")
    with start(restricted_server, certificates, tmp_path, limits=Limits(rate="1000r/s", burst=1000)) as proxy:
        yield Site(proxy, key)


def test_no_photo_fails_while_servers_are_exchanged(
    site: Site, restricted_server: TritonServer, identity_server: TritonServer
) -> None:
    ends = threading.Event()

    def send(protocol: str) -> int:
        with site.enhancer(protocol) as enhancer:  # over HTTP/1.1 it must try again where a kept connection just ended
            sent = 0
            while not ends.is_set():
                enhancer.enhance(PHOTO, mode="fast")
                sent += 1
            return sent

    with ThreadPoolExecutor(2) as pool:
        senders = [pool.submit(send, protocol) for protocol in ("grpc", "http")]
        for server in (identity_server, restricted_server, identity_server):
            site.proxy.serve_by([(server.http_url, server.grpc_url)])
        ends.set()
        assert all(sender.result() for sender in senders)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_left_out_gets_nothing_more(site: Site, protocol: str) -> None:
    with site.enhancer(protocol, retry=Retry(attempts=1)) as enhancer:
        enhancer.check()
        site.proxy.serve_by([NOBODY])
        with pytest.raises(BusyError):
            enhancer.check()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_that_is_gone_is_passed_over(site: Site, restricted_server: TritonServer, protocol: str) -> None:
    site.proxy.serve_by([NOBODY, (restricted_server.http_url, restricted_server.grpc_url), NOBODY])
    with site.enhancer(protocol, retry=Retry(attempts=1)) as enhancer:
        for _ in range(6):
            enhancer.enhance(PHOTO, mode="fast")
