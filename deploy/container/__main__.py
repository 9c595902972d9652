"""``python -m deploy.container``: the GPU profile, in containers of one NGC release.

    python -m deploy.container plan --run NAME
    python -m deploy.container serve --http-port 8000 --grpc-port 8001 --metrics-port 8002

Needs Docker with the NVIDIA Container Toolkit, and nothing of this project's environments.
"""

import argparse
import sys

from command_line.ending import finish
from deploy.container.docker import execute, plan_command, serve_command
from deploy.server import ports, restrictions


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(prog="python -m deploy.container", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="build, check and publish the plan of a run")
    plan.add_argument("--run", required=True, help="name of the run's folder in artifacts/")
    plan.add_argument("--style", help="name that requests ask for (default: the default style)")
    serve = commands.add_parser("serve", help="serve the GPU profile")
    ports.add_options(serve)
    restrictions.add_options(serve)
    return parser.parse_args(arguments)


def run(args: argparse.Namespace) -> int:
    """Returns the container's exit code."""
    if args.command == "plan":
        return execute("export", plan_command(args.run, args.style))
    access = restrictions.access_from(args)
    access.check()
    return execute("serve", serve_command(args.host, ports.ports_from(args), access))


if __name__ == "__main__":
    sys.exit(finish(lambda: run(parse_arguments())))
