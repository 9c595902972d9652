"""What has to be done with a photo that a scan found: judged from the ledger's row, the source and the output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from clients.answers import is_enhanced
from clients.batch.job import Job, frames_text
from clients.batch.sources import fingerprint_of_files
from clients.batch.storage import is_local
from files.digest import sha256
from files.writing import remove_parts

TICK_NS = 2_000_000_000
"""The coarsest clock of the usual file systems: two changes within it may look like one."""


@dataclass(frozen=True)
class Again:
    """What is done again, beside what has changed or is gone."""

    failed: bool = False
    """Photos that failed."""
    existing: bool = False
    """Outputs that are there already and are not this ledger's: they are replaced."""
    outdated: bool = False
    """Outputs of other versions of the networks than the server has now."""


class Known(NamedTuple):
    """What the ledger knows about a photo: columns of its table."""

    state: str
    target: str | bytes
    size: int
    modified_ns: int
    changed_ns: int | None
    settings: str
    source_sha256: str | None
    target_sha256: str | None
    target_size: int | None
    attempts: int
    model: str | None
    frames: str | None
    reason: str | None


@dataclass(frozen=True)
class Judge:
    """Looks at files where the ledger alone does not tell.

    Attributes:
        sources: The folder that source paths are relative to.
        targets: The folder that output paths are relative to.
        model: Versions of the networks that the server has now; empty where it does not tell.
        is_rebuilt: Whether the ledger was damaged, and may have known outputs that it knows no more.
        again: What is done again.
    """

    sources: Path
    targets: Path
    model: str
    is_rebuilt: bool
    again: Again

    def verdict(self, job: Job, known: Known | None) -> str:
        """What to do.

        Args:
            job: The photo, with the output that it is to have.
            known: What the ledger knows about that photo and that output; None for nothing.

        Returns:
            `pending` (to be enhanced), `done` (as before), `failed` (as before), `kept` (its output is there from
            elsewhere), `found` (the output of a damaged ledger).

        Raises:
            OSError: source or output cannot be looked at.
        """
        target = self.targets / job.target
        if known is None and self._is_found(job, target):
            return "found"
        if target.exists() and not self._is_own(job, target, known):
            return "pending" if self.again.existing else "kept"
        if known is None or known.settings != job.settings or known.state == "pending":
            return "pending"
        if known.frames != frames_text(job.frames):
            return "pending"
        if known.state == "failed":
            return "failed" if self._is_unchanged(job, known) and not self.again.failed else "pending"
        if self.again.outdated and self.model not in ("", known.model):
            return "pending"
        is_done = self._is_unchanged(job, known) and self._is_stored(target, known)
        return "done" if is_done else "pending"

    def _is_own(self, job: Job, target: Path, known: Known | None) -> bool:
        """Whether a file that lies where the output goes is one of ours, and not changed by somebody since."""
        if known is None:
            return self.is_rebuilt
        if known.target_sha256 is None:  # what came since the photo was noted was stored without a note, if it is ours
            return known.state == "pending" and (not is_local(self.targets) or _has_its_time(target, job))
        if known.state != "done" or not is_local(self.targets) or target.stat().st_size == known.target_size:
            return True
        return not is_enhanced(target.read_bytes(), (self.sources / job.source).read_bytes())

    def _is_unchanged(self, job: Job, known: Known) -> bool:
        """Whether the source has the bytes that were enhanced; they are read unless the file system knows."""
        if job.changed_ns and job.look == (known.size, known.modified_ns, known.changed_ns):
            return True
        if not is_local(self.sources) or known.source_sha256 is None:  # a store keeps the time itself
            return job.look[:2] == (known.size, known.modified_ns)
        return fingerprint_of_files(self.sources, job) == known.source_sha256

    def _is_stored(self, target: Path, known: Known) -> bool:
        is_whole = target.exists() and target.stat().st_size == known.target_size
        return is_whole and (known.state == "done" or sha256(target) == known.target_sha256)

    def _is_found(self, job: Job, target: Path) -> bool:
        """Whether a damaged ledger may have known this output as done: it has its source's time, and is newer."""
        if not (self.is_rebuilt and is_local(self.targets) and target.is_file() and _has_its_time(target, job)):
            return False
        if target.stat().st_ctime_ns < job.changed_ns:
            return False
        return is_enhanced(target.read_bytes(), (self.sources / job.source).read_bytes())


def remove_remains(target: Path) -> None:
    """Removes what a killed run left of an output."""
    if is_local(target):
        remove_parts(target)


def _has_its_time(target: Path, job: Job) -> bool:
    """Whether an output has the time that outputs are given: their source's."""
    return abs(target.stat().st_mtime_ns - job.modified_ns) < TICK_NS
