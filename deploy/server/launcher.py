"""Launcher of the CPU profile: the real tritonserver, started, watched, and started again where it died.

A model that died or hangs is loaded again by the watchdog; a server that died or hangs is replaced by a new one on the
same ports, however often.
"""

import math
import sys
import time
from typing import NoReturn

from deploy.access.certificates import CertificatesError
from deploy.server.interrupts import interruptible
from deploy.server.ports import Ports
from deploy.server.restrictions import Access
from deploy.server.triton import TritonServer
from deploy.server.wheel import LaunchError

SOON_S = 60.0
"""A death so soon after being ready is one in a row with the death before."""
PAUSES_S = (0.0, 3.0, 6.0, 12.0, 24.0, 30.0)
"""Before the first start after a death, and before further ones in a row: something may need time to settle."""


def serve(ports: Ports, host: str, access: Access, options: tuple[str, ...]) -> None:
    """Serve until Ctrl-C, and start again after every death.

    Raises:
        LaunchError, CertificatesError: it does not start the first time, which is for a person to put right.
    """
    try:
        with interruptible():
            _keep_serving(ports, host, access, options)
    except KeyboardInterrupt:
        print("stopped", flush=True)


def _keep_serving(ports: Ports, host: str, access: Access, options: tuple[str, ...]) -> NoReturn:
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
