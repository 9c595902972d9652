"""Strangers who open connections to the proxy by the thousand, say half of a request, and no more."""

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clients import Enhancer, Tls, api_key
from deploy.access import keys
from deploy.access.certificates import Certificates, make
from deploy.proxy import Proxy
from deploy.proxy.nginx import ProxyError
from perf.errors import PerfError
from perf.photos import photo_file
from tests.faults.probe import Probe
from tests.faults.row import Row
from tests.faults.service import Service

CONNECTIONS = 4000
PHOTOS = 20
BEGINNING = b"\x16\x03\x01"  # of a TLS handshake


@contextlib.contextmanager
def half_open(port: int, connections: int) -> Iterator[None]:
    """So many connections of strangers, while the block runs, who have said three bytes."""
    with contextlib.ExitStack() as stack:
        for _ in range(connections):
            stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(BEGINNING)
        yield


def half_open_flood() -> Row:
    """Who holds a key is served as if they were not there."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificates = Certificates(folder)
        make(["127.0.0.1"], certificates)
        headers = api_key(keys.add("holder", folder / "api-keys"))
        service = stack.enter_context(Service())
        servers = [(service.http_url, service.grpc_url)]
        try:
            proxy = stack.enter_context(Proxy(servers, certificates=certificates, keys=folder / "api-keys"))
        except ProxyError as error:
            raise PerfError(str(error)) from error
        enhancer = stack.enter_context(Enhancer(proxy.grpcs_url, tls=Tls(certificates.authority), headers=headers))
        probe = stack.enter_context(Probe(service.grpc_url))
        probe.fault()
        stack.enter_context(half_open(proxy.port, CONNECTIONS))
        answered = sum(bool(enhancer.enhance(photo_file(640, 480), mode="fast").data) for _ in range(PHOTOS))
    return Row(f"{CONNECTIONS} half-open requests at the proxy", PHOTOS, answered, recovered_s=probe.recovered_s)


FAULTS = {"half-open-flood": half_open_flood}
