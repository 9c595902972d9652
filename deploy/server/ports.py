"""The TCP ports of a server: found, checked, and held against a second launcher."""

import argparse
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.server.wheel import LaunchError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """TCP ports of one server."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002

    @classmethod
    def free(cls) -> "Ports":
        """Three ports that nobody listens on now."""
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
            for each in sockets:
                each.bind((LOOPBACK, 0))
            return cls(*(each.getsockname()[1] for each in sockets))

    @contextlib.contextmanager
    def held(self, host: str) -> Iterator[None]:
        """Keep the ports for one launcher, from before its server listens until after it has ended.

        The hold is a name in the kernel (an abstract Unix socket, unix(7)), which ends with the process that has it.

        Raises:
            LaunchError: a port is taken, by a server or by a launcher whose server is still starting.
        """
        with contextlib.ExitStack() as stack:
            for name, port in vars(self).items():
                hold = stack.enter_context(socket.socket(socket.AF_UNIX))
                probe = stack.enter_context(socket.socket())
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    hold.bind(f"\0photo-enhancer-port-{port}")
                    probe.bind((host, port))
                except OSError as error:
                    raise LaunchError(
                        f"port {port} ({name}) cannot be used: {error.strerror}; "
                        f"choose another: make serve {name.upper()}_PORT={port + 10}"
                    ) from None
                probe.close()
            yield


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a command's tritonserver listens."""
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: this machine only)")
    for name, port in vars(Ports()).items():
        parser.add_argument(f"--{name}-port", type=int, default=port, help="(default %(default)s)")


def ports_from(options: argparse.Namespace) -> Ports:
    """The ports that these options name."""
    return Ports(options.http_port, options.grpc_port, options.metrics_port)
