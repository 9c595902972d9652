"""A new version of a model behind the proxy, with no request failed: one server after another starts again.

Triton reads its repository when it starts, so a version that is published goes on being none of a running server's
business. A server that starts again gets no requests meanwhile: at any moment all others serve.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from deploy.proxy.nginx import Proxy
from deploy.server.ports import LOOPBACK, Ports
from deploy.server.running import running_process
from deploy.server.triton import SERVER_PYTHON, TritonServer


class Launched:
    """The CPU profile's launcher as a process of its own, as a context manager; ready inside the ``with`` block.

    Args:
        log: file of its output.

    Raises:
        LaunchError: on entering, and when it starts again; says where its log is.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.ports = Ports.free()
        self.http_url = f"http://{LOOPBACK}:{self.ports.http}"
        self.grpc_url = f"grpc://{LOOPBACK}:{self.ports.grpc}"

    def __enter__(self) -> "Launched":
        """Start it, and wait until every model is ready."""
        options = [f"--{name}-port={port}" for name, port in vars(self.ports).items()]
        command: list[str | Path] = [SERVER_PYTHON, "-m", "deploy.server", *options]
        self._process = contextlib.ExitStack()
        self._process.enter_context(running_process(command, f"{LOOPBACK}:{self.ports.http}", "health", self.log))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._process.close()

    def restart(self) -> None:
        """Stop, and start on the same ports; ready when it returns."""
        self.__exit__()
        self.__enter__()


def roll_out(proxy: Proxy, servers: Sequence[TritonServer | Launched]) -> None:
    """Stop and start servers, one at a time, each while no request is in flight there.

    Args:
        proxy: in front of them, and of nothing else.
        servers: running ones, two or more.

    Raises:
        ValueError: one server cannot be replaced by the others.
        LaunchError: a server does not start again; the others go on serving, by the versions that they have.
        ProxyError: a request takes longer than the proxy waits.
    """
    if len(servers) < 2:
        raise ValueError("a rollout without a pause needs two servers or more")
    for server in servers:
        proxy.serve_by([urls(other) for other in servers if other is not server])
        server.restart()
        proxy.serve_by([urls(each) for each in servers])


def urls(server: TritonServer | Launched) -> tuple[str, str]:
    """The addresses of a server, in the form that the proxy takes."""
    return server.http_url, server.grpc_url
