"""Writing files that are either whole or absent."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def part_path(path: Path) -> Path:
    """Where `path` grows until it is whole: beside it, hidden, so that the rename stays on one file system."""
    return path.with_name(f".{path.name}.part")


def write_atomically(path: Path, data: bytes, modified_ns: int | None = None) -> None:
    """Writes `data` to `path`, folders included; a reader sees the old file or the new one, never half.

    Args:
        path: The file to write.
        data: Its bytes.
        modified_ns: Modification time to give the file, nanoseconds since the epoch.

    Raises:
        OSError: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if modified_ns is not None:
            os.utime(part, ns=(modified_ns, modified_ns))
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
