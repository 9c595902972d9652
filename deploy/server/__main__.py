"""``python -m deploy.server``: the CPU profile's tritonserver, until Ctrl-C."""

import argparse
import sys

from command_line.ending import finish
from deploy.server import ports, restrictions
from deploy.server.launcher import serve
from deploy.server.telemetry import trace_options


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.server", description=__doc__)
    ports.add_options(parser)
    restrictions.add_options(parser)
    parser.add_argument("--traces", metavar="URL", help="an OpenTelemetry collector: http://127.0.0.1:4318/v1/traces")
    args = parser.parse_args()
    options = trace_options(args.traces) if args.traces else ()
    serve(ports.ports_from(args), args.host, restrictions.access_from(args), options)


if __name__ == "__main__":
    sys.exit(finish(main))
