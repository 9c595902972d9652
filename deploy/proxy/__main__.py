"""Runs the proxy in front of servers until Ctrl-C.

python -m deploy.proxy --host 0.0.0.0 --port 8443 --server http://127.0.0.1:8000 grpc://127.0.0.1:8001
"""

import argparse
import sys
from pathlib import Path

from command_line.ending import finish
from deploy.access import keys
from deploy.access.certificates import Certificates
from deploy.proxy.nginx import Limits, Proxy
from deploy.server.interrupts import interruptible
from files.checkout import ROOT, SECRETS

LOGS = ROOT / "artifacts/proxy"


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.proxy", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8443, help="for HTTPS and gRPC alike (default %(default)s)")
    parser.add_argument(
        "--server",
        nargs=2,
        action="append",
        metavar=("HTTP_URL", "GRPC_URL"),
        help="a server behind the proxy; repeat for several (default: the one of `make serve`)",
    )
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of certificates and API keys")
    parser.add_argument("--mutual", action="store_true", help="ask clients for a certificate, too")
    limits = Limits()
    parser.add_argument("--rate", default=limits.rate, help="of requests with one key (default %(default)s)")
    parser.add_argument("--body", default=limits.body, help="largest photo (default %(default)s)")
    return parser


def main() -> None:
    """Command line."""
    args = parser().parse_args()
    proxy = Proxy(
        args.server or [("http://127.0.0.1:8000", "grpc://127.0.0.1:8001")],
        args.port,
        host=args.host,
        certificates=Certificates(args.secrets),
        mutual=args.mutual,
        keys=args.secrets / keys.FILE_NAME,
        limits=Limits(rate=args.rate, body=args.body),
        logs=LOGS,
    )
    try:
        with interruptible(), proxy:
            print(f"ready: {proxy.https_url} {proxy.grpcs_url} (Ctrl-C stops; log: {LOGS}/access.log)", flush=True)
            proxy.wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    sys.exit(finish(main))
