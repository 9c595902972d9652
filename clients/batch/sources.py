"""The files behind a job, one or the frames of a scene: read, developed, hashed, named in messages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from clients.batch.job import Job
from clients.camera import sendable
from clients.errors import EnhanceError, PhotoError
from clients.request import LARGEST_PHOTO, read_file
from files.digest import sha256

Value = TypeVar("Value")


def read_sources(folder: Path, job: Job) -> tuple[bytes, ...]:
    """The files as they are.

    Args:
        folder: That the job's paths are relative to.
        job: What is to be read.

    Raises:
        PhotoError: no request can hold them, or a frame, which is named, cannot be read.
        OSError: a single photo cannot be read.
    """
    if job.frames and job.size > LARGEST_PHOTO:
        raise PhotoError(f"its frames have {job.size / 1e9:.1f} GB, and a request holds {LARGEST_PHOTO / 1e9:.0f}")
    return _of_each(job, [folder / source for source in job.sources], read_file)


def developed(job: Job, contents: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The files as a server takes them.

    Raises:
        PhotoError: a camera file cannot be developed.
    """
    named = list(zip(job.sources, contents, strict=True))
    return _of_each(job, named, lambda each: sendable(*each, of_scene=bool(job.frames)))


def fingerprint(contents: Iterable[bytes]) -> str:
    """What tells a job's files from others."""
    return _combined([hashlib.sha256(content).hexdigest() for content in contents])


def fingerprint_of_files(folder: Path, job: Job) -> str:
    """The same of files that are not in memory.

    Raises:
        OSError: one of them cannot be read.
    """
    return _combined([sha256(folder / source) for source in job.sources])


def with_names(message: str, job: Job) -> str:
    """A server's message in which a frame is named by its file, where it was named by its number."""

    def name(found: re.Match[str]) -> str:
        number = int(found[1])
        return job.frames[number - 1].name if 1 <= number <= len(job.frames) else found[0]

    return re.sub(r"\bframe (\d+)\b", name, message) if job.frames else message


def _of_each(job: Job, given: list[Value], make: Callable[[Value], bytes]) -> tuple[bytes, ...]:
    """What is made of each file; trouble with one of several frames names it."""
    made = []
    for source, each in zip(job.sources, given, strict=True):
        try:
            made.append(make(each))
        except (EnhanceError, OSError) as error:
            if not job.frames:
                raise
            told = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else error
            raise PhotoError(f"{source.name} {told}") from error
    return tuple(made)


def _combined(digests: list[str]) -> str:
    """One hash of several; a single photo's stays its file's own."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
