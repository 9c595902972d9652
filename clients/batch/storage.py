"""Folders on a disk or in an object store, both behind pathlib's interface."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import cast

from clients.batch.job import int64
from clients.errors import EnhanceError, OptionError
from files.writing import beside

OF_ALL_PHOTOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENODEV}
"""Write errors that the next photo would meet, too."""


class StorageError(EnhanceError):
    """The outputs cannot be written: the disk is full, or the folder is read-only or gone."""


def location(text: str) -> Path:
    """A folder by its path, or by an fsspec address such as `s3://bucket/shoot`.

    Raises:
        OptionError: addresses need a package that is not installed, or the address makes no sense.
    """
    if "://" not in text:
        return Path(text)
    try:
        from upath import UPath  # an extra

        return cast(Path, UPath(text))
    except ImportError as error:
        raise OptionError(f"{text}: addresses need more packages: make setup PART=ray ({error})") from error
    except ValueError as error:
        raise OptionError(f"{text}: {error}") from error


def is_local(folder: Path) -> bool:
    """Whether this is a folder on a disk."""
    return isinstance(folder, Path)


def store(folder: Path | None, path: Path, data: bytes, modified_ns: int) -> None:
    """Writes a file that is whole or absent; object stores do not show an object before it is complete.

    Args:
        folder: Of all outputs, where they have one. It is not made: one that is gone was taken away.
        path: The file, in `folder` or in folders inside, which are made.
        data: Its bytes.
        modified_ns: Its modification time in nanoseconds since the epoch.

    Raises:
        StorageError: no output can be written.
        EnhanceError: this one cannot.
    """
    _check_is_there(folder)
    try:
        if is_local(path):
            with beside(path) as part:
                part.write_bytes(data)
                with contextlib.suppress(OSError, OverflowError):  # a time is not worth losing a photo for
                    os.utime(part, ns=(modified_ns, modified_ns))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        _check_is_there(folder)
        is_of_all = error.errno in OF_ALL_PHOTOS or not _takes_files(folder)
        kind = StorageError if is_of_all else EnhanceError
        raise kind(f"cannot write {path}: {error.strerror or error}") from error


def _check_is_there(folder: Path | None) -> None:
    """Raises StorageError where the folder of all outputs was taken away."""
    if folder is not None and is_local(folder) and not folder.is_dir():
        raise StorageError(f"cannot write to {folder}: the folder is gone")


def _takes_files(folder: Path | None) -> bool:
    """Whether anything can be written to a folder at all; without one each photo speaks for itself."""
    if folder is None or not is_local(folder):
        return folder is None
    probe = folder / ".enhance.probe"
    try:
        probe.touch()
    except OSError:
        return False
    with contextlib.suppress(OSError):
        probe.unlink()
    return True


def stored_files(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Relative path, size in bytes and modification time in nanoseconds of everything in an object store's folder."""
    for path in sorted(folder.rglob("*"), key=str):
        with contextlib.suppress(FileNotFoundError):  # it went during the search
            if path.is_file():
                stat = path.stat()
                modified_ns = int64(int(stat.st_mtime * 1e9))
                yield Path(PurePosixPath(str(path.relative_to(folder)))), stat.st_size, modified_ns
