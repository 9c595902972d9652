"""One photo to enhance, as a search found it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True)
class Job:
    """One photo to enhance: paths, and what the source looked like when it was found."""

    source: Path
    target: Path
    size: int
    """Of the source, in bytes."""
    modified_ns: int
    """When the source was last modified, as programs may set it; nanoseconds since the epoch."""
    settings: str
    """The request parameters as one text."""
    changed_ns: int = 0
    """When the file system last saw the source change, which no program can set; 0 where it does not say."""
    trouble: str = ""
    """Why it cannot even be looked at; then nothing above but the paths means anything."""

    @classmethod
    def of(cls, source: Path, target: Path, stat: os.stat_result, settings: str) -> Job:
        """The job of a file on a disk."""
        changed_ns = 0 if os.name == "nt" else stat.st_ctime_ns  # Windows has the time of creation there
        return cls(source, target, stat.st_size, int64(stat.st_mtime_ns), settings, int64(changed_ns))


def int64(number: int) -> int:
    """The nearest number that fits: file times past the year 2262 do not."""
    return max(-INT64_MAX, min(number, INT64_MAX))
