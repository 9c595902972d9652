"""One picture to make, as a search found its photo or photos."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

INT64_MAX = (1 << 63) - 1
Look = tuple[int, int, int]


@dataclass(frozen=True)
class Job:
    """One picture to make: paths, and what the source looked like when it was found."""

    source: Path
    """The photo; of a scene of several frames the one after which the picture is named."""
    target: Path
    size: int
    """Of the source, in bytes; of a scene, of all its frames."""
    modified_ns: int
    """When the source was last modified, as programs may set it; nanoseconds since the epoch."""
    settings: str
    """The request parameters as one text."""
    changed_ns: int = 0
    """When the file system last saw the source change, which no program can set; 0 where it does not say."""
    trouble: str = ""
    """Why it cannot even be looked at; then nothing above but the paths means anything."""
    frames: tuple[Path, ...] = ()
    """The frames of a scene in the order in which they are sent, `source` among them; empty for a single photo."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """All files that the picture is made of."""
        return self.frames or (self.source,)

    @property
    def look(self) -> Look:
        """What changes when its files change."""
        return self.size, self.modified_ns, self.changed_ns

    @classmethod
    def of(cls, source: Path, target: Path, stat: os.stat_result, settings: str) -> Job:
        """The job of a file on a disk."""
        changed_ns = 0 if os.name == "nt" else stat.st_ctime_ns  # Windows has the time of creation there
        return cls(source, target, stat.st_size, int64(stat.st_mtime_ns), settings, int64(changed_ns))


def int64(number: int) -> int:
    """The nearest number that fits: file times past the year 2262 do not."""
    return max(-INT64_MAX, min(number, INT64_MAX))


def frames_text(frames: tuple[Path, ...]) -> str | None:
    """The frames of a scene as one text; None for a single photo."""
    return json.dumps([frame.as_posix() for frame in frames]) if frames else None
