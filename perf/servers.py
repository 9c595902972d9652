"""Servers to measure: one of our own for each profile, or one that runs already."""

import contextlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy import container
from deploy.access import Access
from deploy.server import Ports, TritonServer
from deploy.wheel import LaunchError
from perf.errors import PerfError

READY_S = 300
LOCAL = ("127.0.0.1", "localhost", "::1")


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
    """The server to measure: one that runs already, or a fresh one of our own."""
    return contextlib.nullcontext(running_server(url)) if url else own_server(profile)


@contextlib.contextmanager
def own_server(profile: str) -> Iterator[Target]:
    """Start this working tree's server of a profile on free ports.

    Raises:
        PerfError: it cannot be started; says what to do.
    """
    try:
        if profile == "cpu":
            with TritonServer(adjacent_ports()) as server:
                yield target_of(server)
        else:
            with gpu_container(adjacent_ports()) as target:
                yield target
    except (LaunchError, container.ContainerError) as error:
        raise PerfError(str(error)) from None


def adjacent_ports() -> Ports:
    """Three free ports in Triton's own order, so that one address tells the others (`running_server`)."""
    while True:
        first = Ports.free().http
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in (first, first + 1, first + 2):
                stack.enter_context(socket.socket()).bind((LOCAL[0], port))
            return Ports(first, first + 1, first + 2)


def target_of(server: TritonServer) -> Target:
    """A running CPU profile."""
    assert server.process is not None
    ports, host = server.ports, server.host
    return Target(f"{host}:{ports.grpc}", f"{host}:{ports.http}", f"{host}:{ports.metrics}", server.process.pid)


@contextlib.contextmanager
def gpu_container(ports: Ports) -> Iterator[Target]:
    """Start the GPU profile as `make serve PROFILE=gpu` does, until it is ready."""
    container.require_gpu_and_docker()
    subprocess.run(container.build_command("serve"), check=True)
    process = subprocess.Popen(container.serve_command("127.0.0.1", vars(ports), Access()), start_new_session=True)
    target = Target(f"127.0.0.1:{ports.grpc}", f"127.0.0.1:{ports.http}", f"127.0.0.1:{ports.metrics}")
    try:
        wait_ready(target, process)
        yield target
    finally:
        process.send_signal(signal.SIGINT)  # docker passes it on and removes the container
        process.wait()


def wait_ready(target: Target, process: subprocess.Popen[bytes]) -> None:
    """Raise PerfError where the server ends, or is not ready in time."""
    deadline = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready(target):
            return
        time.sleep(0.5)
    raise PerfError(f"the container is not ready after {READY_S} s: see its output above")


def is_ready(target: Target) -> bool:
    """Whether every model can be asked."""
    try:
        with urllib.request.urlopen(f"http://{target.http}/v2/health/ready", timeout=5):
            return True
    except OSError:
        return False


def running_server(url: str) -> Target:
    """A server that runs already; HTTP one port below gRPC's and metrics one above, as Triton's defaults are.

    Args:
        url: ``grpc://host:8001``.

    Raises:
        PerfError: it is no such address, or nobody answers.
    """
    parts = urlsplit(url)
    if parts.scheme != "grpc" or not parts.hostname:
        raise PerfError(f"URL={url}: give the gRPC address, such as grpc://127.0.0.1:8001")
    port = parts.port or 8001
    host = parts.hostname
    target = Target(f"{host}:{port}", f"{host}:{port - 1}", f"{host}:{port + 1}")
    if not is_ready(target):
        raise PerfError(f"no server is ready at {url} (asked over HTTP on port {port - 1})")
    return target
