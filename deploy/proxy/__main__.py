"""``python3 -m deploy.proxy``: the proxy in front of servers, until Ctrl-C.

    python3 -m deploy.proxy --host 0.0.0.0 --server http://127.0.0.1:8000 grpc://127.0.0.1:8001
    python3 -m deploy.proxy --host 0.0.0.0 --servers 2    starts two of the CPU profile, too

Servers of its own start again one after another when the proxy gets SIGHUP (`kill -HUP`): what has been published since
is served from then on, and no request fails.
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from command_line.ending import UserError, finish
from deploy.access import keys
from deploy.access.certificates import Certificates
from deploy.proxy.nginx import Proxy
from deploy.proxy.rollout import Launched, roll_out, urls
from deploy.proxy.settings import Limits
from deploy.server.interrupts import interruptible
from deploy.server.ports import LOOPBACK
from files.checkout import ROOT, SECRETS

LOGS = ROOT / "artifacts/proxy"
LOOK_S = 1.0


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(
        prog="python3 -m deploy.proxy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8443, help="for HTTPS and gRPC alike (default %(default)s)")
    behind = parser.add_mutually_exclusive_group()
    behind.add_argument(
        "--server",
        nargs=2,
        action="append",
        metavar=("HTTP_URL", "GRPC_URL"),
        help="a server behind the proxy; repeat for several (default: the one of `make serve`)",
    )
    behind.add_argument("--servers", type=int, default=0, metavar="N", help="start so many behind it, two or more")
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of certificates and API keys")
    parser.add_argument("--mutual", action="store_true", help="ask clients for a certificate, too")
    limits = Limits()
    parser.add_argument("--rate", default=limits.rate, help="of requests with one key (default %(default)s)")
    parser.add_argument("--body", default=limits.body, help="largest photo (default %(default)s)")
    return parser.parse_args(arguments)


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C."""
    if args.servers == 1:
        raise UserError("--servers 1: two or more can stand in for one another; make serve starts one")
    try:
        with interruptible(), contextlib.ExitStack() as stack:
            own = [stack.enter_context(Launched(LOGS / f"server-{number}.log")) for number in range(args.servers)]
            proxy = stack.enter_context(proxy_of(args, [urls(server) for server in own]))
            print(f"ready: {proxy.https_url} {proxy.grpcs_url} (Ctrl-C stops; log: {LOGS}/access.log)", flush=True)
            if own:
                keep_current(proxy, own)
            proxy.wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)


def proxy_of(args: argparse.Namespace, own: Sequence[tuple[str, str]]) -> Proxy:
    """The proxy that the options describe, in front of servers of its own where it has some."""
    return Proxy(
        own or args.server or [("http://127.0.0.1:8000", "grpc://127.0.0.1:8001")],
        args.port,
        host=args.host,
        certificates=Certificates(args.secrets),
        mutual=args.mutual,
        keys=args.secrets / keys.FILE_NAME,
        limits=Limits(rate=args.rate, body=args.body),
        logs=LOGS,
    )


def keep_current(proxy: Proxy, servers: Sequence[Launched]) -> None:
    """Roll out at every SIGHUP, as long as nginx runs."""
    asked = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: asked.set())
    print(f"kill -HUP {os.getpid()} serves what has been published since", flush=True)
    while proxy.is_running():
        if asked.wait(LOOK_S):
            asked.clear()
            try:
                roll_out(proxy, servers)
                print("rolled out", flush=True)
            except UserError as error:
                print(f"error: {error}; the others go on serving", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(finish(lambda: run(parse_arguments())))
