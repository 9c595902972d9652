"""Folders on a disk or in an object store, both behind pathlib's interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import cast

from clients.errors import OptionError
from clients.files import write_atomically


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
        raise OptionError(f"{text}: addresses need more packages: make setup-ray ({error})") from error
    except ValueError as error:
        raise OptionError(f"{text}: {error}") from error


def is_local(folder: Path) -> bool:
    """Whether this is a folder on a disk."""
    return isinstance(folder, Path)


def store(path: Path, data: bytes, modified_ns: int) -> None:
    """Writes a file that is whole or absent; object stores do not show an object before it is complete.

    Raises:
        OSError: it cannot be written.
    """
    if is_local(path):
        write_atomically(path, data, modified_ns)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def stored_files(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Relative path, size in bytes and modification time in nanoseconds of everything in an object store's folder."""
    for path in sorted(folder.rglob("*"), key=str):
        if path.is_file():
            stat = path.stat()
            yield Path(PurePosixPath(str(path.relative_to(folder)))), stat.st_size, int(stat.st_mtime * 1e9)
