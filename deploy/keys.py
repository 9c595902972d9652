"""The API keys of the proxy, kept as hashes: who steals the file cannot use it.

    python -m deploy.keys add studio       prints a new key, this once
    python -m deploy.keys list
    python -m deploy.keys revoke studio    takes effect with the next request

A key is `ID:SECRET`, user name and password of HTTP's basic scheme (RFC 7617), so that every program can send it:
`curl --user "$ENHANCE_API_KEY"`. The ID is the holder's name and eight random characters: the proxy limits and logs by
it, and nobody can use up another's limit by knowing a name alone.
"""

import argparse
import base64
import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ROOT / "secrets/api-keys"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
HOLDER = re.compile(r"(.+)-[0-9a-f]{8}")


class KeysError(ValueError):
    """The keys cannot be changed like this; the message says what to do."""


def add(name: str, path: Path = KEYS) -> str:
    """Makes a key for a holder, who may have several; returns it. The file keeps its hash alone.

    Raises:
        KeysError: the name has other characters than small letters, digits and hyphens.
    """
    if not NAME.fullmatch(name):
        raise KeysError(f"{name!r} is no name for a key: use up to 40 small letters, digits and hyphens")
    key_id, secret = f"{name}-{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    with _locked(path):
        _write(path, [*_lines(path), f"{key_id}:{_hash(secret)}:{date.today():%Y-%m-%d}"])
    return f"{key_id}:{secret}"


def revoke(name: str, path: Path = KEYS) -> list[str]:
    """Takes one key (by its ID) or all keys of a holder out of the file; returns their IDs.

    Raises:
        KeysError: there is no such key.
    """
    with _locked(path):
        lines = _lines(path)
        revoked = [line for line in lines if name in (_id(line), _holder(line))]
        if not revoked:
            raise KeysError(f"no key of {name!r} in {path}; python -m deploy.keys list shows them")
        _write(path, [line for line in lines if line not in revoked])
    return [_id(line) for line in revoked]


def listed(path: Path = KEYS) -> list[tuple[str, str]]:
    """ID and day of issue of every key."""
    return [(_id(line), line.split(":")[2]) for line in _lines(path)]


def _id(line: str) -> str:
    return line.partition(":")[0]


def _holder(line: str) -> str:
    match = HOLDER.fullmatch(_id(line))
    return match[1] if match else _id(line)


def _hash(secret: str) -> str:
    """Salted SHA-1, which nginx checks itself, in a microsecond.

    The secret has 256 random bits, so no list of words finds it and a slow hash protects nothing. It would do harm: by
    its milliseconds, strangers could tell IDs that exist from others, and flood the proxy with wrong keys.
    """
    salt = secrets.token_bytes(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(secret.encode() + salt).digest() + salt).decode()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One change at a time: a key that is added while another is revoked does not bring that back."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _write(path: Path, lines: Iterable[str]) -> None:
    """Whole or not at all, since the proxy reads the file with every request; for whom it was readable before."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if path.exists():  # its owner's alone, or the proxy's workers', too
            os.fchown(descriptor, path.stat().st_uid, path.stat().st_gid)
            os.fchmod(descriptor, path.stat().st_mode & 0o777)
        file.writelines(f"{line}\n" for line in lines)
    beside.replace(path)


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.keys", description="The API keys of the proxy.")
    parser.add_argument("--file", type=Path, default=KEYS, help="of the hashes (default %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add", help="print a new key").add_argument("name", help="of its holder")
    commands.add_parser("revoke", help="end keys").add_argument("name", help="of their holder, or the ID of one")
    commands.add_parser("list", help="IDs and days of issue")
    args = parser.parse_args()
    try:
        if args.command == "add":
            print(add(args.name, args.file))
        elif args.command == "revoke":
            print("revoked:", *revoke(args.name, args.file))
        else:
            print(*(f"{key_id}\t{day}" for key_id, day in listed(args.file)), sep="\n")
    except KeysError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
