"""Writing files that are either whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from pathlib import Path


def part_path(path: Path) -> Path:
    """Where `path` grows until it is whole: beside it, hidden, so that the rename stays on one file system.

    The name is of one write alone, so that two programs never write to one file, and short whatever the photo's is.
    """
    return path.with_name(f"{_part_prefix(path)}{uuid.uuid4().hex[:8]}.part")


def remove_parts(path: Path) -> None:
    """Removes what killed programs left of `path` before it was whole.

    Raises:
        OSError: one of them cannot be removed.
    """
    for part in path.parent.glob(f"{_part_prefix(path)}*.part"):
        part.unlink(missing_ok=True)


def _part_prefix(path: Path) -> str:
    return f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}-"


def write_atomically(path: Path, data: bytes, modified_ns: int | None = None, root: Path | None = None) -> None:
    """Writes `data` to `path`, folders included; a reader sees the old file or the new one, never half.

    Args:
        path: The file to write.
        data: Its bytes.
        modified_ns: Modification time to give the file, nanoseconds since the epoch, where the file system can hold it.
        root: A folder above that has to be there already; None makes whatever is missing.

    Raises:
        OSError: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    _make_folders(path.parent, root)
    part = part_path(path)
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if modified_ns is not None:
            with contextlib.suppress(OSError, OverflowError):  # a time is not worth losing a photo for
                os.utime(part, ns=(modified_ns, modified_ns))
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _make_folders(folder: Path, root: Path | None) -> None:
    if root is None:
        folder.mkdir(parents=True, exist_ok=True)
    elif folder != root:
        _make_folders(folder.parent, root if root in folder.parents else None)
        folder.mkdir(exist_ok=True)
