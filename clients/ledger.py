"""The ledger of a batch: every photo's state in one SQLite file, right after any crash.

An output is stored in three steps: its hash is noted (`storing`), the file is written and renamed, `done` is noted.
After a crash a photo in `storing` is done if the output has the noted hash, and pending otherwise: nothing is lost,
nothing is done twice.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clients.answers import is_enhanced
from clients.database import LedgerError, memory_database, open_database
from clients.files import remove_parts
from clients.job import Job
from clients.naming import candidates
from clients.storage import is_local

LEDGER_NAME = ".enhance.sqlite"
CHUNK = 256
TICK_NS = 2_000_000_000
"""The coarsest clock of the usual file systems: two changes within it may look like one."""
LONGEST_REASON = 500
KEPT = "its output is there already: --overwrite replaces it"
Key = str | bytes


@dataclass(frozen=True)
class Failure:
    """A photo that is not done, for the report."""

    source: str
    reason: str
    attempts: int


@dataclass(frozen=True)
class Again:
    """What is done again, beside what has changed or is gone."""

    failed: bool = False
    """Photos that failed."""
    existing: bool = False
    """Outputs that are there already and are not this ledger's: they are replaced."""
    outdated: bool = False
    """Outputs of other versions of the networks than the server has now."""


@dataclass(frozen=True)
class Result:
    """What became of one photo of a run, for the report."""

    source: str
    target: str
    state: str
    """`done` (by this run), `skipped`, `failed` or `pending`."""
    reason: str | None
    """Why it was skipped or failed."""


class _Row(NamedTuple):
    """What the ledger knows about a photo."""

    state: str
    target: Key
    size: int
    modified_ns: int
    changed_ns: int | None
    settings: str
    source_sha256: str | None
    target_sha256: str | None
    target_size: int | None
    attempts: int
    model: str | None


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
            self._database = memory_database()
        else:
            self._database, self.put_aside = open_database(self.path)
        self._scan = 1 + int(self._row("SELECT ifnull(max(scan), 0) FROM photos")[0])

    @property
    def folder(self) -> Path | None:
        """Of all outputs; None for those of a ledger in memory, which lie anywhere."""
        return None if self._in_memory else self.targets

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def begin(self) -> None:
        """Starts a group of changes that become durable together."""
        self._execute("BEGIN")

    def commit(self) -> None:
        """Ends the group."""
        self._execute("COMMIT")

    def note(self, job: Job, again: Again = Again()) -> str:
        """Notes a photo that a scan found, and what has to be done with it.

        Args:
            job: The photo. Where another photo has its output's name already, it gets another one.
            again: What is done again, beside what has changed or is gone.

        Returns:
            `done` (nothing to do), `failed` (before, or it cannot be looked at) or `pending`.
        """
        known = self._known(job)
        if job.trouble:
            self._insert(job, "failed", known.attempts if known else 0)
            self._update(job, reason=_sentence(job.trouble))
            return "failed"
        job = replace(job, target=next(path for path in candidates(job.source, job.target) if self._is_free(path, job)))
        try:
            state = self._state_now(job, known, again)
        except OSError:  # reading or writing this photo will tell what is wrong
            state = "pending"
        if state == "pending":
            seen = known and (known.size, known.modified_ns) == (job.size, job.modified_ns)
            self._insert(job, "pending", known.attempts if known and seen else 0)
        elif known:
            self._update(
                job,
                state=state,
                scan=self._scan,
                size=job.size,
                modified_ns=job.modified_ns,
                changed_ns=_kept_change(job),
            )
        return state

    def _state_now(self, job: Job, known: _Row | None, again: Again) -> str:
        target = self.targets / job.target
        if known is None and self._is_rebuilt(job, target):
            return "done"
        if known is not None and known.target != _key(job.target):
            known = None  # about another output
        if target.exists() and not self._is_own(job, target, known):
            return "pending" if again.existing else self._kept(job)
        if known is None or known.settings != job.settings:
            return "pending"
        if known.state == "failed":
            return "failed" if self._is_unchanged(job, known) and not again.failed else "pending"
        if again.outdated and self.model not in ("", known.model):
            return "pending"
        if known.state == "pending" or not self._is_unchanged(job, known):
            return "pending"
        return "done" if self._is_stored(target, known) else "pending"

    def _is_own(self, job: Job, target: Path, known: _Row | None) -> bool:
        """Whether a file that lies where the output goes is one of ours, and not changed by somebody since."""
        if known is None:
            return self.put_aside is not None  # a damaged ledger may have known it
        if known.target_sha256 is None:  # what came since the photo was noted was stored without a note, if it is ours
            return known.state == "pending" and (not is_local(self.targets) or _has_its_time(target, job))
        if known.state != "done" or target.stat().st_size == known.target_size:
            return True
        photo = (self.sources / job.source).read_bytes()
        return not (is_local(self.targets) and is_enhanced(target.read_bytes(), photo))

    def _kept(self, job: Job) -> str:
        self._insert(job, "done", 0)
        self._update(job, reason=KEPT, target_sha256=None, target_size=None, model=None, run=None)
        return "done"

    def _is_unchanged(self, job: Job, known: _Row) -> bool:
        """Whether the source has the bytes that were enhanced; they are read unless the file system knows."""
        look = (job.size, job.modified_ns, job.changed_ns)
        if job.changed_ns and look == (known.size, known.modified_ns, known.changed_ns):
            return True
        if not is_local(self.sources) or known.source_sha256 is None:  # a store keeps the time itself
            return look[:2] == (known.size, known.modified_ns)
        return sha256(self.sources / job.source) == known.source_sha256

    def _is_stored(self, target: Path, known: _Row) -> bool:
        if known.state == "storing" and is_local(self.targets):
            remove_parts(target)
        is_whole = target.stat().st_size == known.target_size
        return is_whole and (known.state == "done" or sha256(target) == known.target_sha256)

    def _is_rebuilt(self, job: Job, target: Path) -> bool:
        """Notes an output whose photo a damaged ledger may have known, and which has its source's time, as done."""
        if self.put_aside is None or not (is_local(self.targets) and target.is_file()):
            return False
        if not _has_its_time(target, job):
            return False
        photo, output = (self.sources / job.source).read_bytes(), target.read_bytes()
        if not is_enhanced(output, photo):
            return False
        self._insert(job, "done", 0)
        hashes = {"source_sha256": _digest(photo), "target_sha256": _digest(output)}
        self._update(job, **hashes, target_size=len(output))
        return True

    def _is_free(self, target: Path, job: Job) -> bool:
        """Whether no other photo has this output, or both it and its output are gone."""
        rows = self._execute(
            "SELECT source, scan FROM photos WHERE target = ? AND source <> ? AND state <> 'failed'",
            _key(target),
            _key(job.source),
        )
        others = [(self.sources / _path(source), scan) for source, scan in rows]
        return not any(scan == self._scan or _exists(self.targets / target) or _exists(other) for other, scan in others)

    def pending(self) -> Iterator[Job]:
        """Photos of this scan that are still to do, in the order in which they were found."""
        last = 0
        while rows := self._execute(
            "SELECT rowid, source, target, size, modified_ns, settings, ifnull(changed_ns, 0) FROM photos "
            "WHERE state = 'pending' AND scan = ? AND rowid > ? ORDER BY rowid LIMIT ?",
            self._scan,
            last,
            CHUNK,
        ):
            for _, source, target, *rest in rows:
                yield Job(_path(source), _path(target), *rest)
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
            model=self.model or None,
            run=self._scan,
        )

    def done(self, job: Job) -> None:
        """Notes that the output is in its place."""
        self._update(job, state="done", reason=None)

    def failed(self, job: Job, reason: str, source_sha256: str | None = None) -> None:
        """Notes that the photo cannot be enhanced; it is not tried again while it has these bytes."""
        self._update(job, state="failed", reason=_sentence(reason), source_sha256=source_sha256, finished=_now())

    def tried(self, job: Job) -> None:
        """Counts an attempt."""
        self._execute("UPDATE photos SET attempts = attempts + 1 WHERE source = ?", _key(job.source))

    def failures(self) -> list[Failure]:
        """The failed photos of this scan."""
        rows = self._execute(
            "SELECT source, reason, attempts FROM photos WHERE state = 'failed' AND scan = ? ORDER BY rowid", self._scan
        )
        return [Failure(str(_path(source)), str(reason), attempts) for source, reason, attempts in rows]

    def lost(self) -> list[Failure]:
        """The photos of this scan whose outputs have vanished since they were noted; they are pending again."""
        rows = self._execute(
            "SELECT source, target, target_size, attempts FROM photos WHERE state = 'done' AND scan = ?", self._scan
        )
        gone = [(source, target, tried) for source, target, size, tried in rows if not self._is_there(target, size)]
        for source, _, _ in gone:
            self._execute("UPDATE photos SET state = 'pending' WHERE source = ?", source)
        return [
            Failure(str(_path(source)), f"its output is gone again: {self.targets / _path(target)}", attempts)
            for source, target, attempts in gone
        ]

    def _is_there(self, target: Key, size: int | None) -> bool:
        if not is_local(self.targets):
            return True
        try:
            found = (self.targets / _path(target)).stat().st_size
            return size in (None, found)
        except OSError:
            return False

    def results(self) -> Iterator[Result]:
        """What became of every photo of this scan."""
        rows = self._execute(
            "SELECT source, target, CASE WHEN state = 'done' AND run IS NOT scan THEN 'skipped' "
            "WHEN state = 'storing' THEN 'pending' ELSE state END, reason FROM photos WHERE scan = ? ORDER BY rowid",
            self._scan,
        )
        for source, target, state, reason in rows:
            yield Result(str(self.sources / _path(source)), str(self.targets / _path(target)), state, reason)

    def outdated(self) -> int:
        """How many outputs were made by other versions of the networks than the server has now."""
        if not self.model:
            return 0
        query = "SELECT count(*) FROM photos WHERE scan = ? AND state = 'done' AND model IS NOT NULL AND model <> ?"
        return int(self._row(query, self._scan, self.model)[0])

    def counts(self) -> dict[str, int]:
        """How many photos of this scan are in each state."""
        rows = self._execute("SELECT state, count(*) FROM photos WHERE scan = ? GROUP BY state", self._scan)
        return {"pending": 0, "storing": 0, "done": 0, "failed": 0} | {state: count for state, count in rows}

    def _known(self, job: Job) -> _Row | None:
        row = self._row(f"SELECT {', '.join(_Row._fields)} FROM photos WHERE source = ?", _key(job.source))
        return _Row(*row) if row else None

    def _insert(self, job: Job, state: str, attempts: int) -> None:
        self._execute(
            "INSERT INTO photos (source, target, size, modified_ns, changed_ns, settings, state, scan, attempts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET target = excluded.target, "
            "size = excluded.size, modified_ns = excluded.modified_ns, changed_ns = excluded.changed_ns, "
            "settings = excluded.settings, state = excluded.state, scan = excluded.scan, attempts = excluded.attempts, "
            "reason = NULL",
            _key(job.source),
            _key(job.target),
            job.size,
            job.modified_ns,
            _kept_change(job),
            job.settings,
            state,
            self._scan,
            attempts,
        )

    def _update(self, job: Job, **columns: object) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._execute(f"UPDATE photos SET {assignments} WHERE source = ?", *columns.values(), _key(job.source))

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        """The first row, or an empty one."""
        return next(iter(self._execute(query, *values)), ())

    def _execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise LedgerError(f"{self.path}: {error}") from error


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sentence(text: str) -> str:
    """A reason as it can be stored and shown: on one line, of a length to read, in characters that exist."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())[:LONGEST_REASON]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _has_its_time(target: Path, job: Job) -> bool:
    """Whether an output has the time that outputs are given: their source's."""
    return abs(target.stat().st_mtime_ns - job.modified_ns) < TICK_NS


def _kept_change(job: Job) -> int:
    """The source's change as it can be relied on: one more within the same tick would leave the same time."""
    return job.changed_ns if job.changed_ns < time.time_ns() - TICK_NS else 0


def _key(path: Path) -> Key:
    """A path as SQLite holds it: text, or bytes for a name that is no UTF-8."""
    name = path.as_posix()
    return name if name.isascii() or name.encode("utf-8", "ignore").decode() == name else os.fsencode(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _path(key: Key) -> Path:
    return Path(os.fsdecode(key))
