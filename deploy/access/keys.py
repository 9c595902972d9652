"""The API keys of the proxy, stored as hashes: a stolen file is of no use.

A key is `ID:SECRET`, user name and password of HTTP's basic scheme (RFC 7617), so that every program can send it:
`curl --user "$ENHANCE_API_KEY"`. The ID is the holder's name and eight random characters: the proxy limits and logs by
it, and nobody can use up another's limit by knowing a name alone.
"""

import base64
import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from command_line.ending import UserError
from files.checkout import SECRETS
from files.writing import beside

FILE_NAME = "api-keys"
KEYS = SECRETS / FILE_NAME
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
HOLDER = re.compile(r"(.+)-[0-9a-f]{8}")


class KeysError(UserError):
    """The keys cannot be changed like this; the message says what to do."""


def add(name: str, path: Path = KEYS) -> str:
    """Make a key for a holder, who may have several; returns it. The file keeps its hash alone.

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
    """Take one key (by its ID) or all keys of a holder out of the file; return their IDs.

    Raises:
        KeysError: there is no such key.
    """
    with _locked(path):
        lines = _lines(path)
        revoked = [line for line in lines if name in (_id(line), _holder(line))]
        if not revoked:
            raise KeysError(f"no key of {name!r} in {path}; python3 -m deploy.access keys list shows them")
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
    """Write the file whole, since the proxy reads it with every request, and keep its permissions."""
    with beside(path) as part, os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        if path.exists():  # its owner's alone, or the proxy's workers', too
            os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
        file.writelines(f"{line}\n" for line in lines)
