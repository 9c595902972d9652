"""``python -m deploy.supply``: what an installation brings, and whether it can be installed.

.venv/bin/python -m deploy.supply sbom        bills of materials into artifacts/sbom, and THIRD_PARTY_NOTICES.md
.venv/bin/python -m deploy.supply resolves    every environment, for arm64 and x86-64, with a package index
"""

import argparse
import sys

from command_line.ending import finish
from deploy.supply import notices, resolves, sbom


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.supply", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("sbom", help="bills of materials, and the notices").set_defaults(run=lambda _: list_packages())
    resolve = commands.add_parser("resolves", help="do the requirements of every environment resolve?")
    resolve.add_argument("names", nargs="*", metavar="NAME", help="part of an environment's name (default: all)")
    resolve.set_defaults(run=lambda args: resolves.tell(args.names))
    return parser.parse_args(arguments)


def list_packages() -> None:
    """Write the bills of materials, check them, and write the notices from them."""
    bills = sbom.write()
    sbom.check(bills)
    print(*bills, notices.write(notices.packages()), sep="\n")


def main() -> int:
    """Returns the exit code."""
    args = parse_arguments()
    return finish(lambda: args.run(args))


if __name__ == "__main__":
    sys.exit(main())
