"""Launcher of the CPU profile: the real tritonserver, started, watched, and started again where it died.

    python -m deploy.launcher --http-port 8000 --grpc-port 8001 --metrics-port 8002

A model that died or hangs is loaded again by the watchdog; a server that died or hangs is replaced by a new one on the
same ports, however often.
"""

import argparse
import math
import sys
import time
from typing import NoReturn

from deploy.access import Access, access_from, add_options
from deploy.certificates import CertificatesError
from deploy.interrupts import interruptible
from deploy.server import LOOPBACK, Ports, TritonServer
from deploy.telemetry import trace_options
from deploy.wheel import LaunchError

SOON_S = 60.0
"""A death so soon after being ready is one in a row with the death before."""
PAUSES_S = (0.0, 3.0, 6.0, 12.0, 24.0, 30.0)
"""Before the first start after a death, and before further ones in a row: something may need time to settle."""


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
    """Serve, and start again after every death.

    Raises:
        LaunchError, CertificatesError: it does not start the first time, which is for a person to put right.
    """
    deaths, has_been_ready = 0, False
    while True:
        ready_s = math.inf
        try:
            with TritonServer(ports, host=host, access=access, options=options) as server:
                print(f"ready: {server.http_url} {server.grpc_url} {server.metrics_url} (Ctrl-C stops)", flush=True)
                print(f"the operator's key is in {access.operator_key_file}", flush=True)
                ready_s, has_been_ready = time.monotonic(), True
                server.wait()
        except (LaunchError, CertificatesError) as death:
            if not has_been_ready:
                raise
            has_served = time.monotonic() - ready_s > SOON_S
            deaths = 1 if has_served else deaths + 1
            pause_s = PAUSES_S[min(deaths, len(PAUSES_S)) - 1]
            print(f"{death}\nstarting again in {pause_s:.0f} s", file=sys.stderr, flush=True)
            time.sleep(pause_s)


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
