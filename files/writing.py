"""Writing files that are either whole or absent."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Where to write a file in parts: what the block has written there is put in place of `path` when it ends.

    Folders are made. A reader sees the old file or the new one, never half, and so does whoever comes after a crash;
    where the block raises, nothing is left behind.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file at once, as `beside` does; text in UTF-8.

    Raises:
        OSError: the folder cannot be written, or the disk is full; what was there before is intact.
    """
    with beside(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def part_path(path: Path) -> Path:
    """Where `path` grows until it is whole: beside it, hidden, so that the rename stays on one file system.

    The name is of one write alone, so that two programs never write to one file, and short whatever the file's is.
    """
    return path.with_name(f"{_part_prefix(path)}{uuid.uuid4().hex[:8]}.part")


def remove_parts(path: Path) -> None:
    """Remove what killed programs left of `path` before it was whole.

    Raises:
        OSError: one of them cannot be removed.
    """
    for part in path.parent.glob(f"{_part_prefix(path)}*.part"):
        part.unlink(missing_ok=True)


def _part_prefix(path: Path) -> str:
    return f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}-"
