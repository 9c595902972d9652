"""The ledger of a batch: every photo's state in one SQLite file, right after any crash.

An output is stored in three steps: its hash is noted (`storing`), the file is written and renamed, `done` is noted.
After a crash a photo in `storing` is done if the output has the noted hash, and pending otherwise: nothing is lost,
nothing is done twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from clients.batch.database import LedgerError, memory_database, open_database
from clients.batch.job import Job, frames_of
from clients.batch.judgement import TICK_NS, Again, Judge, Known, remove_remains
from clients.batch.naming import candidates
from clients.batch.rows import Key, Rows, key, path_of
from clients.batch.sources import fingerprint_of_files, sha256
from clients.batch.storage import is_local

LEDGER_NAME = ".enhance.sqlite"
CHUNK = 256
LONGEST_REASON = 500
KEPT = "its output is there already: --overwrite replaces it"


@dataclass(frozen=True)
class Failure:
    """A photo that is not done, for the report."""

    source: str
    reason: str
    attempts: int


@dataclass(frozen=True)
class Result:
    """What became of one photo of a run, for the report."""

    source: str
    target: str
    state: str
    """`done` (by this run), `skipped`, `failed` or `pending`."""
    reason: str | None
    """Why it was skipped or failed."""
    frames: list[str] = field(default_factory=list)
    """The photos that were merged, `source` among them; empty for a single photo."""


class Ledger:
    """Opens or creates a ledger; one process at a time.

    Args:
        sources: The folder that source paths are relative to.
        targets: The folder that output paths are relative to.
        folder: Where the ledger lies: among the outputs by default.
        in_memory: For a run that shall leave no ledger behind.

    Raises:
        LedgerError: another batch holds it, a later version of this program wrote it, or it cannot be written.
    """

    def __init__(self, sources: Path, targets: Path, folder: Path | None = None, in_memory: bool = False) -> None:
        self.sources, self.targets = sources, targets
        self.path = (folder or targets) / LEDGER_NAME
        self.put_aside: Path | None = None
        """Where a damaged ledger went; then photos whose outputs are there are done."""
        self._in_memory = in_memory
        self.model = ""
        """Versions of the networks that the server has now, as far as it tells."""
        if in_memory:
            database = memory_database()
        else:
            database, self.put_aside = open_database(self.path)
        self._rows = Rows(database, self.path)
        self._scan = 1 + int(self._rows.row("SELECT ifnull(max(scan), 0) FROM photos")[0])

    @property
    def folder(self) -> Path | None:
        """Of all outputs; None for those of a ledger in memory, which lie anywhere."""
        return None if self._in_memory else self.targets

    def close(self) -> None:
        """Closes the file."""
        self._rows.close()

    def begin(self) -> None:
        """Starts a group of changes that become durable together."""
        self._rows.execute("BEGIN")

    def commit(self) -> None:
        """Ends the group."""
        self._rows.execute("COMMIT")

    def note(self, job: Job, again: Again = Again()) -> str:  # noqa: B008  (frozen)
        """Notes a photo that a scan found, and what has to be done with it.

        Args:
            job: The photo. Where another photo has its output's name already, it gets another one.
            again: What is done again, beside what has changed or is gone.

        Returns:
            `done` (nothing to do), `failed` (before, or it cannot be looked at) or `pending`.
        """
        known = self._rows.known(job)
        if job.trouble:
            return self._note_trouble(job, known)
        job = replace(job, target=next(path for path in candidates(job.source, job.target) if self._is_free(path, job)))
        try:
            verdict = self._verdict(job, known, again)
        except LedgerError:
            raise
        except Exception:  # reading or writing this photo will tell what is wrong with it
            verdict = "pending"
        if verdict == "pending":
            self._note_pending(job, known)
        elif verdict in ("kept", "found"):
            self._note_existing(job, is_ours=verdict == "found")
        else:
            look = {"size": job.size, "modified_ns": job.modified_ns, "changed_ns": _kept_change(job)}
            self._rows.update(job, state=verdict, scan=self._scan, **look)
        return verdict if verdict in ("pending", "failed") else "done"

    def _verdict(self, job: Job, known: Known | None, again: Again) -> str:
        if known is not None and known.state == "storing":
            remove_remains(self.targets / path_of(known.target))
        judge = Judge(self.sources, self.targets, self.model, self.put_aside is not None, again)
        about_this_output = known is not None and known.target == key(job.target)
        return judge.verdict(job, known if about_this_output else None)

    def _note_trouble(self, job: Job, known: Known | None) -> str:
        self._insert(job, "failed", known.attempts if known else 0)
        self._rows.update(job, reason=_sentence(job.trouble), source_sha256=None)
        return "failed"

    def _note_pending(self, job: Job, known: Known | None) -> None:
        seen = known is not None and (known.size, known.modified_ns) == (job.size, job.modified_ns)
        self._insert(job, "pending", known.attempts if known and seen else 0)
        if _exists(self.targets / job.target):  # and may be replaced, by a later run as well
            self._rows.execute(
                "UPDATE photos SET target_sha256 = ifnull(target_sha256, '') WHERE source = ?", key(job.source)
            )

    def _note_existing(self, job: Job, is_ours: bool) -> None:
        target = self.targets / job.target
        self._insert(job, "done", 0)
        self._rows.update(
            job,
            reason=None if is_ours else KEPT,
            source_sha256=fingerprint_of_files(self.sources, job) if is_ours else None,
            target_sha256=sha256(target) if is_ours else None,
            target_size=target.stat().st_size if is_ours else None,
            model=None,
            run=None,
        )

    def _insert(self, job: Job, state: str, attempts: int) -> None:
        self._rows.insert(job, state, self._scan, _kept_change(job), attempts)

    def _is_free(self, target: Path, job: Job) -> bool:
        """Whether no other photo has this output, or both it and its output are gone."""
        rows = self._rows.execute(
            "SELECT source, scan FROM photos WHERE target = ? AND source <> ? AND state <> 'failed'",
            key(target),
            key(job.source),
        )
        others = [(self.sources / path_of(source), scan) for source, scan in rows]
        return not any(scan == self._scan or _exists(self.targets / target) or _exists(other) for other, scan in others)

    def pending(self) -> Iterator[Job]:
        """Photos of this scan that are still to do, in the order in which they were found."""
        last = 0
        while rows := self._rows.execute(
            "SELECT rowid, source, target, size, modified_ns, settings, ifnull(changed_ns, 0), frames FROM photos "
            "WHERE state = 'pending' AND scan = ? AND rowid > ? ORDER BY rowid LIMIT ?",
            self._scan,
            last,
            CHUNK,
        ):
            for _, source, target, size, modified_ns, settings, changed_ns, frames in rows:
                look = size, modified_ns, settings, changed_ns
                yield Job(path_of(source), path_of(target), *look, frames=frames_of(frames))
            last = rows[-1][0]

    def storing(self, job: Job, source_sha256: str, target_sha256: str, target_size: int, seconds: float) -> None:
        """Notes what the output is going to be, before it is written."""
        self._rows.update(
            job,
            state="storing",
            source_sha256=source_sha256,
            target_sha256=target_sha256,
            target_size=target_size,
            seconds=seconds,
            finished=_now(),
            model=self.model or None,
            run=self._scan,
        )

    def done(self, job: Job) -> None:
        """Notes that the output is in its place."""
        self._rows.update(job, state="done", reason=None)

    def failed(self, job: Job, reason: str, source_sha256: str | None = None) -> None:
        """Notes that the photo cannot be enhanced; it is not tried again while it has these bytes."""
        self._rows.update(job, state="failed", reason=_sentence(reason), source_sha256=source_sha256, finished=_now())

    def tried(self, job: Job) -> None:
        """Counts an attempt."""
        self._rows.execute("UPDATE photos SET attempts = attempts + 1 WHERE source = ?", key(job.source))

    def failures(self) -> list[Failure]:
        """The failed photos of this scan."""
        rows = self._rows.execute(
            "SELECT source, reason, attempts FROM photos WHERE state = 'failed' AND scan = ? ORDER BY rowid", self._scan
        )
        return [Failure(str(path_of(source)), str(reason), attempts) for source, reason, attempts in rows]

    def lost(self) -> list[Failure]:
        """The photos of this scan whose outputs have vanished since they were noted; they are pending again."""
        rows = self._rows.execute(
            "SELECT source, target, target_size, attempts FROM photos WHERE state = 'done' AND scan = ?", self._scan
        )
        gone = [(source, target, tried) for source, target, size, tried in rows if not self._is_there(target, size)]
        for source, _, _ in gone:
            self._rows.execute("UPDATE photos SET state = 'pending' WHERE source = ?", source)
        return [
            Failure(str(path_of(source)), f"its output is gone again: {self.targets / path_of(target)}", attempts)
            for source, target, attempts in gone
        ]

    def _is_there(self, target: Key, size: int | None) -> bool:
        if not is_local(self.targets):
            return True
        try:
            found = (self.targets / path_of(target)).stat().st_size
            return size in (None, found)
        except OSError:
            return False

    def results(self) -> Iterator[Result]:
        """What became of every photo of this scan."""
        rows = self._rows.execute(
            "SELECT source, target, CASE WHEN state = 'done' AND run IS NOT scan THEN 'skipped' "
            "WHEN state = 'storing' THEN 'pending' ELSE state END, reason, frames FROM photos "
            "WHERE scan = ? ORDER BY rowid",
            self._scan,
        )
        for source, target, state, reason, frames in rows:
            merged = [str(self.sources / frame) for frame in frames_of(frames)]
            yield Result(
                str(self.sources / path_of(source)), str(self.targets / path_of(target)), state, reason, merged
            )

    def outdated(self) -> int:
        """How many outputs were made by other versions of the networks than the server has now."""
        if not self.model:
            return 0
        query = "SELECT count(*) FROM photos WHERE scan = ? AND state = 'done' AND model IS NOT NULL AND model <> ?"
        return int(self._rows.row(query, self._scan, self.model)[0])

    def counts(self) -> dict[str, int]:
        """How many photos of this scan are in each state."""
        rows = self._rows.execute("SELECT state, count(*) FROM photos WHERE scan = ? GROUP BY state", self._scan)
        return {"pending": 0, "storing": 0, "done": 0, "failed": 0} | {state: count for state, count in rows}


def _sentence(text: str) -> str:
    """A reason as it can be stored and shown: on one line, of a length to read, in characters that exist."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())[:LONGEST_REASON]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _kept_change(job: Job) -> int:
    """The source's change as it can be relied on: one more within the same tick would leave the same time."""
    return job.changed_ns if job.changed_ns < time.time_ns() - TICK_NS else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
