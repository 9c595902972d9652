"""The ledger of a batch: every photo's state in one SQLite file, right after any crash.

An output is stored in three steps: its hash is noted (`storing`), the file is written and renamed, `done` is noted.
After a crash a photo in `storing` is done if the output has the noted hash, and pending otherwise: nothing is lost,
nothing is done twice.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clients.files import part_path

LEDGER_NAME = ".enhance.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS photos (
    source TEXT PRIMARY KEY,          -- relative to the source folder
    target TEXT NOT NULL,             -- relative to the output folder
    size INTEGER NOT NULL,            -- the source's, in bytes
    modified_ns INTEGER NOT NULL,     -- the source's
    settings TEXT NOT NULL,           -- the request parameters
    state TEXT NOT NULL CHECK (state IN ('pending', 'storing', 'done', 'failed')),
    scan INTEGER NOT NULL,            -- the last scan that saw the source
    attempts INTEGER NOT NULL DEFAULT 0,
    source_sha256 TEXT,
    target_sha256 TEXT,
    target_size INTEGER,
    seconds REAL,
    finished TEXT,                    -- UTC
    reason TEXT                       -- of a failure
);
CREATE INDEX IF NOT EXISTS by_target ON photos (target);
CREATE INDEX IF NOT EXISTS by_state ON photos (state);
"""
CHUNK = 256
Key = str | bytes


class LedgerError(Exception):
    """The ledger cannot be opened or written."""


@dataclass(frozen=True)
class Job:
    """One photo to enhance: paths, and what the source looked like when it was found."""

    source: Path
    target: Path
    size: int
    modified_ns: int
    settings: str


@dataclass(frozen=True)
class Failure:
    """A photo that failed, for the report."""

    source: str
    reason: str
    attempts: int


class Ledger:
    """Opens or creates a ledger; one process at a time.

    Args:
        sources: The folder that source paths are relative to.
        targets: The folder that output paths are relative to.
        folder: Where the ledger lies: among the outputs by default.
        in_memory: For a run that shall leave no ledger behind.

    Raises:
        LedgerError: another batch holds it, or the file cannot be written.
    """

    def __init__(self, sources: Path, targets: Path, folder: Path | None = None, in_memory: bool = False) -> None:
        self.sources, self.targets = sources, targets
        self.path = (folder or targets) / LEDGER_NAME
        try:
            self._database = sqlite3.connect(":memory:" if in_memory else self.path, isolation_level=None, timeout=1)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")  # a second batch on the same outputs is refused
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
        except sqlite3.OperationalError as error:
            hint = "another batch is writing to this folder" if "locked" in str(error) else str(error)
            raise LedgerError(f"{self.path}: {hint}") from error
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"{self.path}: {error}; move it away to start over") from error
        self._scan = 1 + int(self._row("SELECT ifnull(max(scan), 0) FROM photos")[0])

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def begin(self) -> None:
        """Starts a group of changes that become durable together."""
        self._database.execute("BEGIN")

    def commit(self) -> None:
        """Ends the group."""
        self._database.execute("COMMIT")

    def note(self, job: Job, retry_failed: bool = False) -> str:
        """Notes a photo that a scan found, and what has to be done with it.

        Returns:
            `done` (nothing to do), `failed` (before, or because another source has the same output) or `pending`.
        """
        known = self._row(
            "SELECT state, target, size, modified_ns, settings, source_sha256, target_sha256, target_size, attempts "
            "FROM photos WHERE source = ?",
            _key(job.source),
        )
        rival = self._rival(job)
        if rival is not None:
            self._insert(job, "failed", 0)
            self._update(job, reason=f"has the same output as {os.fsdecode(rival)}: rename one, or use --format same")
            return "failed"
        state = self._state_now(job, known, retry_failed) if known else "pending"
        if state == "pending":
            self._insert(job, "pending", known[8] if known and known[2:4] == (job.size, job.modified_ns) else 0)
        else:
            self._update(job, state=state, scan=self._scan, size=job.size, modified_ns=job.modified_ns)
        return state

    def _state_now(self, job: Job, known: tuple[Any, ...], retry_failed: bool) -> str:
        state, target, size, modified_ns, settings, source_sha256, target_sha256, target_size, _ = known
        if (target, settings) != (_key(job.target), job.settings):
            return "pending"
        untouched = (size, modified_ns) == (job.size, job.modified_ns)
        if state == "failed":
            return "failed" if untouched and not retry_failed else "pending"
        if state == "pending" or not (untouched or sha256(self.sources / job.source) == source_sha256):
            return "pending"
        return "done" if self._is_stored(job, state, target_size, target_sha256) else "pending"

    def _is_stored(self, job: Job, state: str, size: object, digest: object) -> bool:
        target = self.targets / job.target
        if state == "storing":
            part_path(target).unlink(missing_ok=True)
        try:
            return target.stat().st_size == size and (state == "done" or sha256(target) == digest)
        except OSError:
            return False

    def _rival(self, job: Job) -> Key | None:
        row = self._row(
            "SELECT source FROM photos WHERE target = ? AND source <> ? AND scan = ? AND state <> 'failed'",
            _key(job.target),
            _key(job.source),
            self._scan,
        )
        return row[0] if row else None

    def pending(self) -> Iterator[Job]:
        """Photos of this scan that are still to do, in the order in which they were found."""
        last = 0
        while rows := self._database.execute(
            "SELECT rowid, source, target, size, modified_ns, settings FROM photos "
            "WHERE state = 'pending' AND scan = ? AND rowid > ? ORDER BY rowid LIMIT ?",
            (self._scan, last, CHUNK),
        ).fetchall():
            for _, source, target, size, modified_ns, settings in rows:
                yield Job(_path(source), _path(target), size, modified_ns, settings)
            last = rows[-1][0]

    def storing(self, job: Job, source_sha256: str, target_sha256: str, target_size: int, seconds: float) -> None:
        """Notes what the output is going to be, before it is written."""
        self._update(
            job,
            state="storing",
            source_sha256=source_sha256,
            target_sha256=target_sha256,
            target_size=target_size,
            seconds=seconds,
            finished=_now(),
        )

    def done(self, job: Job) -> None:
        """Notes that the output is in its place."""
        self._update(job, state="done", reason=None)

    def failed(self, job: Job, reason: str) -> None:
        """Notes that the photo cannot be enhanced."""
        self._update(job, state="failed", reason=reason, finished=_now())

    def tried(self, job: Job) -> None:
        """Counts an attempt."""
        self._database.execute("UPDATE photos SET attempts = attempts + 1 WHERE source = ?", (_key(job.source),))

    def failures(self) -> list[Failure]:
        """The failed photos of this scan."""
        rows = self._database.execute(
            "SELECT source, reason, attempts FROM photos WHERE state = 'failed' AND scan = ? ORDER BY rowid",
            (self._scan,),
        )
        return [Failure(os.fsdecode(source), reason, attempts) for source, reason, attempts in rows]

    def counts(self) -> dict[str, int]:
        """How many photos of this scan are in each state."""
        rows = self._database.execute("SELECT state, count(*) FROM photos WHERE scan = ? GROUP BY state", (self._scan,))
        return {"pending": 0, "storing": 0, "done": 0, "failed": 0} | dict(rows)

    def _insert(self, job: Job, state: str, attempts: int) -> None:
        self._database.execute(
            "INSERT INTO photos (source, target, size, modified_ns, settings, state, scan, attempts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET target = excluded.target, "
            "size = excluded.size, modified_ns = excluded.modified_ns, settings = excluded.settings, "
            "state = excluded.state, scan = excluded.scan, attempts = excluded.attempts, reason = NULL",
            (
                _key(job.source),
                _key(job.target),
                job.size,
                job.modified_ns,
                job.settings,
                state,
                self._scan,
                attempts,
            ),
        )

    def _update(self, job: Job, **columns: object) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._database.execute(
            f"UPDATE photos SET {assignments} WHERE source = ?", (*columns.values(), _key(job.source))
        )

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        """The first row, or an empty one."""
        return self._database.execute(query, values).fetchone() or ()


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(path: Path) -> Key:
    """A path as SQLite holds it: text, or bytes for a name that is no UTF-8."""
    name = path.as_posix()
    return name if name.isascii() or name.encode("utf-8", "ignore").decode() == name else os.fsencode(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _path(key: Key) -> Path:
    return Path(os.fsdecode(key))
