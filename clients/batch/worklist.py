"""What a run has to do, and what becomes of it.

Photos that a person names need no more than this, nor does a dry run. A batch has a ledger, which remembers besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clients.batch.job import Job
from clients.batch.judgement import Again
from clients.batch.naming import candidates
from clients.batch.storage import is_local

LONGEST_REASON = 500
KEPT = "its output is there already: --overwrite replaces it"


@dataclass
class Entry:
    """One photo of a run."""

    job: Job
    source: Path
    """Where the photo is."""
    target: Path
    """Where its output goes."""
    state: str = "pending"
    """`pending`, `done` (by this run), `skipped` or `failed`."""
    reason: str | None = None
    """Why it was skipped or failed."""
    attempts: int = 0
    target_size: int | None = None
    """Of the output in bytes, as far as it is known."""
    model: str | None = None
    """Versions of the networks that made the output of a skipped photo, as far as they are known."""


class Worklist:
    """The photos of one run, in the order in which they were found.

    Args:
        sources: The folder that source paths are relative to.
        targets: The folder that output paths are relative to.
    """

    folder: Path | None = None
    """Of all outputs; None where they may lie anywhere."""

    def __init__(self, sources: Path = Path(), targets: Path = Path()) -> None:
        self.sources, self.targets = sources, targets
        self.model = ""
        """Versions of the networks that the server has now, as far as it tells."""
        self._entries: dict[Path, Entry] = {}
        self._owners: dict[Path, Path] = {}

    def note_all(self, jobs: Iterable[Job], again: Again = Again()) -> None:  # noqa: B008  (frozen)
        """Notes every photo that a search finds."""
        for job in jobs:
            self.note(job, again)

    def note(self, job: Job, again: Again = Again()) -> str:  # noqa: B008  (frozen)
        """Notes a photo that a search found, and what has to be done with it.

        Args:
            job: The photo. Where another photo has its output's name already, it gets another one.
            again: What is done again, beside what has changed or is gone.

        Returns:
            `skipped` (nothing to do), `failed` (before, or it cannot be looked at) or `pending`.
        """
        if not job.trouble:
            names = candidates(job.source, job.target)
            job = replace(job, target=next(name for name in names if self._is_free(name, job)))
        entry = self._entries[job.source] = Entry(job, self.sources / job.source, self.targets / job.target)
        self._judge(entry, again)
        return entry.state

    def _is_free(self, target: Path, job: Job) -> bool:
        """Whether no other photo has this output; from then on it is this photo's."""
        return self._owners.setdefault(target, job.source) == job.source

    def _judge(self, entry: Entry, again: Again) -> None:
        """Fills in what has to be done."""
        if entry.job.trouble:
            entry.state, entry.reason = "failed", sentence(entry.job.trouble)
        elif exists(entry.target) and not again.existing:
            entry.state, entry.reason = "skipped", KEPT

    def pending(self) -> Iterator[Job]:
        """Photos that are still to do."""
        return (entry.job for entry in self.entries() if entry.state == "pending")

    def tried(self, job: Job) -> None:
        """Counts an attempt."""
        self._entries[job.source].attempts += 1

    def storing(self, job: Job, source_sha256: str, target_sha256: str, target_size: int, seconds: float) -> None:
        """Notes what the output is going to be, before it is written."""
        self._entries[job.source].target_size = target_size

    def done(self, job: Job) -> None:
        """Notes that the output is in its place."""
        self._entries[job.source].state = "done"

    def failed(self, job: Job, reason: str, source_sha256: str | None = None) -> None:
        """Notes that the photo cannot be enhanced."""
        entry = self._entries[job.source]
        entry.state, entry.reason = "failed", sentence(reason)

    def check_outputs(self) -> None:
        """Counts photos as failed whose outputs have vanished since they were noted; the next run makes them again."""
        for entry in self.entries() if is_local(self.targets) else ():
            if entry.state in ("done", "skipped") and not _is_there(entry):
                entry.state, entry.reason = "failed", f"its output is gone again: {entry.target}"

    def close(self) -> None:
        """Ends the run."""

    def entries(self) -> list[Entry]:
        """All photos."""
        return list(self._entries.values())

    def failures(self) -> list[Entry]:
        """The photos that failed."""
        return [entry for entry in self.entries() if entry.state == "failed"]

    def counts(self) -> Counter[str]:
        """How many photos are in each state."""
        return Counter(entry.state for entry in self.entries())

    def outdated(self) -> int:
        """How many outputs were made by other versions of the networks than the server has now."""
        others = [
            entry for entry in self.entries() if entry.state == "skipped" and entry.model not in (None, self.model)
        ]
        return len(others) if self.model else 0


def sentence(text: str) -> str:
    """A reason as it can be stored and shown: on one line, of a length to read, in characters that exist."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())[:LONGEST_REASON]


def exists(path: Path) -> bool:
    """Whether something is there, as far as the file system tells."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_there(entry: Entry) -> bool:
    try:
        size = entry.target.stat().st_size
    except OSError:
        return False
    return entry.target_size in (None, size)
