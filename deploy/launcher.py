"""Launcher of the CPU profile: the real tritonserver, started, watched, and started anew where it died.

    python -m deploy.launcher --http-port 8000 --grpc-port 8001 --metrics-port 8002

A server whose process has ended, or one of whose Python models has, is replaced by a new one on the same ports.
"""

import argparse
import sys
import time
from typing import NoReturn

from deploy.access import Access, access_from, add_options
from deploy.certificates import CertificatesError
from deploy.interrupts import interruptible
from deploy.server import LOOPBACK, Ports, ServerDied, TritonServer
from deploy.telemetry import trace_options
from deploy.wheel import LaunchError

DEATHS = 5
"""Deaths in a row, while starting anew or within SOON_S of being ready, after which it is given up."""
SOON_S = 60.0
PAUSE_S = 3.0
"""Before the second start anew; longer by as much before each further one: something may need time to settle."""


def serve(ports: Ports, host: str, access: Access, options: tuple[str, ...]) -> int:
    """Serve until Ctrl-C; returns the exit code."""
    try:
        with interruptible():
            _keep_serving(ports, host, access, options)
    except (LaunchError, CertificatesError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 0


def _keep_serving(ports: Ports, host: str, access: Access, options: tuple[str, ...]) -> NoReturn:
    """Serve, and start anew after a death.

    Raises:
        LaunchError: it does not start at all, or dies again and again.
    """
    deaths, ready_s = 0, None
    while True:
        try:
            with TritonServer(ports, host=host, access=access, options=options) as server:
                print(f"ready: {server.http_url} {server.grpc_url} {server.metrics_url} (Ctrl-C stops)", flush=True)
                ready_s = time.monotonic()
                server.wait()
        except LaunchError as death:
            if ready_s is None:  # what keeps it from starting at all is for a person to put right
                raise
            has_served = isinstance(death, ServerDied) and time.monotonic() - ready_s > SOON_S
            deaths = 1 if has_served else deaths + 1
            if deaths == DEATHS:
                raise LaunchError(f"{death}\ngiven up after {DEATHS} deaths in a row") from death
            print(f"{death}\nstarting it anew", file=sys.stderr, flush=True)
            time.sleep(PAUSE_S * (deaths - 1))


def main() -> None:
    """Command line."""
    defaults = Ports()
    parser = argparse.ArgumentParser(prog="python -m deploy.launcher", description=__doc__)
    parser.add_argument("--http-port", type=int, default=defaults.http)
    parser.add_argument("--grpc-port", type=int, default=defaults.grpc)
    parser.add_argument("--metrics-port", type=int, default=defaults.metrics)
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: this machine only)")
    parser.add_argument("--traces", metavar="URL", help="an OpenTelemetry collector: http://127.0.0.1:4318/v1/traces")
    add_options(parser)
    args = parser.parse_args()
    options = trace_options(args.traces) if args.traces else ()
    sys.exit(serve(Ports(args.http_port, args.grpc_port, args.metrics_port), args.host, access_from(args), options))


if __name__ == "__main__":
    main()
