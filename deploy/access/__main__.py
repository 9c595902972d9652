"""``python3 -m deploy.access``: certificates, API keys and the operator's key, all in secrets/.

python3 -m deploy.access certificates spark.local 192.168.1.20    names by which clients reach the server
python3 -m deploy.access keys add studio       prints a new key of the proxy, this once
python3 -m deploy.access keys list
python3 -m deploy.access keys revoke studio    takes effect with the next request
python3 -m deploy.access operator-key          for containers, which mount it; other servers make it when they start
"""

import argparse
import sys
from pathlib import Path

from command_line.ending import finish
from deploy.access import keys
from deploy.access.certificates import Certificates, make
from deploy.access.operator_key import key_file, operator_key
from files.checkout import SECRETS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(
        prog="python3 -m deploy.access", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--secrets", type=Path, default=SECRETS, help="folder of all of them (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    certificates = commands.add_parser("certificates", help="an authority, a server's and a client's certificate")
    certificates.add_argument("hosts", nargs="*", default=["localhost"], help="names and addresses of the server")
    certificates.set_defaults(run=make_certificates)
    changes = commands.add_parser("keys", help="API keys of the proxy").add_subparsers(required=True, metavar="CHANGE")
    for name, run, of in (("add", add_key, "of its holder"), ("revoke", revoke_keys, "of their holder, or an ID")):
        change = changes.add_parser(name)
        change.add_argument("name", help=of)
        change.set_defaults(run=run)
    changes.add_parser("list").set_defaults(run=list_keys)
    commands.add_parser("operator-key", help="the key for Triton's settings").set_defaults(run=make_operator_key)
    return parser.parse_args(arguments)


def make_certificates(args: argparse.Namespace) -> None:
    """New certificates of the same authority, which is made where there is none."""
    make(args.hosts, Certificates(args.secrets))
    url = f"grpcs://{args.hosts[0]}:8443"
    print(f"written to {args.secrets}; clients need ca.pem: enhance --root-certificates ca.pem --url {url}")


def add_key(args: argparse.Namespace) -> None:
    """Print a new key."""
    print(keys.add(args.name, args.secrets / keys.FILE_NAME))


def revoke_keys(args: argparse.Namespace) -> None:
    """End a holder's keys, or one."""
    print("revoked:", *keys.revoke(args.name, args.secrets / keys.FILE_NAME))


def list_keys(args: argparse.Namespace) -> None:
    """List IDs and days of issue."""
    print(*(f"{key_id}\t{day}" for key_id, day in keys.listed(args.secrets / keys.FILE_NAME)), sep="\n")


def make_operator_key(args: argparse.Namespace) -> None:
    """Make the operator's key where there is none."""
    operator_key(args.secrets)
    print(f"the operator's key is in {key_file(args.secrets)}")


def main() -> int:
    """Returns the exit code."""
    args = parse_arguments()
    return finish(lambda: args.run(args))


if __name__ == "__main__":
    sys.exit(main())
