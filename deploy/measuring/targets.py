"""Servers to ask, for benchmarks, checks and tests: one of our own of either profile, or one that runs already."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.container import docker
from deploy.server.ports import LOOPBACK, Ports
from deploy.server.restrictions import Access
from deploy.server.running import is_ready, running_process
from deploy.server.triton import TritonServer
from deploy.server.wheel import LaunchError

LOCAL = (LOOPBACK, "localhost", "::1")


@dataclass(frozen=True)
class Target:
    """A server: host and port of its three services, and its process group where it is our own.

    Attributes:
        group: of which memory is read; None for a server in a container or elsewhere.
    """

    grpc: str
    http: str
    metrics: str
    group: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether memory can be shared with it."""
        return self.grpc.rpartition(":")[0] in LOCAL


def server(profile: str, url: str | None) -> contextlib.AbstractContextManager[Target]:
    """The server to ask: one that runs already, or a fresh one of our own."""
    return contextlib.nullcontext(running_server(url)) if url else own_server(profile)


@contextlib.contextmanager
def own_server(profile: str) -> Iterator[Target]:
    """Start this working tree's server of a profile on free ports.

    Raises:
        LaunchError: it cannot be started; says what to do.
    """
    ports = adjacent_ports()
    if profile == "cpu":
        with TritonServer(ports) as server:
            yield target_of(server)
        return
    docker.require_gpu_and_docker()
    subprocess.run(docker.build_command("serve"), check=True)
    command = docker.serve_command(LOOPBACK, ports, Access())
    with running_process(command, f"{LOOPBACK}:{ports.http}", "health"):
        yield Target(f"{LOOPBACK}:{ports.grpc}", f"{LOOPBACK}:{ports.http}", f"{LOOPBACK}:{ports.metrics}")


def adjacent_ports() -> Ports:
    """Three free ports in Triton's own order, so that one address tells the others (`running_server`)."""
    while True:
        first = Ports.free().http
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in (first, first + 1, first + 2):
                stack.enter_context(socket.socket()).bind((LOOPBACK, port))
            return Ports(first, first + 1, first + 2)


def target_of(server: TritonServer) -> Target:
    """A running CPU profile."""
    assert server.process is not None
    ports, host = server.ports, server.host
    return Target(f"{host}:{ports.grpc}", f"{host}:{ports.http}", f"{host}:{ports.metrics}", server.process.pid)


def running_server(url: str) -> Target:
    """A server that runs already; HTTP one port below gRPC's and metrics one above, as Triton's defaults are.

    Args:
        url: ``grpc://host:8001``.

    Raises:
        LaunchError: it is no such address, or nobody answers.
    """
    parts = urlsplit(url)
    if parts.scheme != "grpc" or not parts.hostname:
        raise LaunchError(f"URL={url}: give the gRPC address, such as grpc://127.0.0.1:8001")
    host, port = parts.hostname, parts.port or 8001
    target = Target(f"{host}:{port}", f"{host}:{port - 1}", f"{host}:{port + 1}")
    if not is_ready(target.http, "health"):
        raise LaunchError(f"no server is ready at {url} (asked over HTTP on port {port - 1})")
    return target
