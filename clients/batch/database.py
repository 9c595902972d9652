"""The SQLite file of a ledger and its rows: opened by one program, checked, brought up to date, or put aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clients.batch.job import Job, frames_text
from clients.batch.judgement import Known
from clients.errors import EnhanceError

Key = str | bytes
VERSION = 4
"""Of the schema, in SQLite's user_version."""
ADDED = {"changed_ns": "INTEGER", "model": "TEXT", "run": "INTEGER", "frames": "TEXT"}
"""Columns that ledgers of earlier versions lack."""
SCHEMA = f"""
BEGIN IMMEDIATE;
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
    reason TEXT,                      -- of a failure
    changed_ns INTEGER,               -- the source's, as the file system keeps it
    model TEXT,                       -- versions of the networks that made the output, as far as the server told
    run INTEGER,                      -- the scan after which the output was made
    frames TEXT                       -- of a scene: a JSON list of its files, the source among them
);
CREATE INDEX IF NOT EXISTS by_target ON photos (target);
CREATE INDEX IF NOT EXISTS by_state ON photos (state);
PRAGMA user_version = {VERSION};
COMMIT;
"""
SOUND = """
SELECT count(*) = 0 FROM photos WHERE NOT (
    typeof(source) IN ('text', 'blob') AND typeof(target) IN ('text', 'blob') AND typeof(settings) = 'text'
    AND typeof(size) = 'integer' AND typeof(modified_ns) = 'integer' AND typeof(attempts) = 'integer'
    AND typeof(scan) = 'integer' AND scan BETWEEN 0 AND 1000000000000
    AND state IN ('pending', 'storing', 'done', 'failed') AND typeof(reason) IN ('text', 'null')
    AND typeof(model) IN ('text', 'null') AND typeof(target_size) IN ('integer', 'null')
    AND (frames IS NULL OR json_valid(frames))
)"""


class LedgerError(EnhanceError):
    """The ledger cannot be opened or written."""


class _DamagedError(Exception):
    """The file is no ledger, or not a whole one."""


def open_database(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Opens or creates the file of a ledger.

    Returns:
        The connection, which no other program can have beside this one, and where the file went that was there and was
        damaged: None as a rule.

    Raises:
        LedgerError: another program holds it, it is of a later version, or it cannot be written.
    """
    was_there = path.exists()
    try:
        return _opened(path, was_there), None
    except _DamagedError:
        put_aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        try:
            path.with_name(f"{path.name}-wal").unlink(missing_ok=True)  # else it would be applied to the new file
            path.rename(put_aside)
            return _opened(path, was_there=False), put_aside
        except OSError as error:
            raise LedgerError(f"{path} is damaged and cannot be moved away: {error.strerror}") from error


def _opened(path: Path, was_there: bool) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, isolation_level=None, timeout=1)
    except sqlite3.OperationalError as error:
        raise LedgerError(f"{path}: {error}") from error
    try:
        database.text_factory = _text
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # a second program with the same outputs is refused
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript("BEGIN IMMEDIATE; COMMIT;")
        if was_there:
            _check(database, path)
        database.executescript(SCHEMA)
    except Exception as error:
        database.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise _meaning(error, path) from error
        if isinstance(error, ValueError | OverflowError):  # messages and numbers that make no sense
            raise _DamagedError(str(error)) from error
        raise
    return database


def _check(database: sqlite3.Connection, path: Path) -> None:
    """Raises unless the file is a whole ledger; adds what a ledger of an earlier version lacks."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LedgerError(
            f"{path} was written by a later version of enhance (ledger {version}; this one knows {VERSION}): "
            "use that one, or another output folder"
        )
    columns = {row[1] for row in database.execute("PRAGMA table_info(photos)")}
    for name in ADDED.keys() - columns if columns and version < VERSION else ():
        database.execute(f"ALTER TABLE photos ADD COLUMN {name} {ADDED[name]}")
        columns.add(name)
    if columns != _columns_of_this_version():
        raise _DamagedError("it has other columns")
    if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)] or database.execute(SOUND).fetchone() != (1,):
        raise _DamagedError("its content is not sound")


def _columns_of_this_version() -> set[str]:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        return {row[1] for row in database.execute("PRAGMA table_info(photos)")}


def _meaning(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """Whether the file cannot be used now, or is damaged for good."""
    text = str(error)
    if "locked" in text:
        return LedgerError(f"{path}: another batch is writing to this folder")
    is_writable = path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if is_writable and "full" not in text:  # SQLite calls some damaged files read-only
        return _DamagedError(text)
    return LedgerError(f"{path}: {text}")


def _text(stored: bytes) -> str:
    return stored.decode(errors="surrogateescape")


class Rows:
    """Reads and writes rows.

    Args:
        database: An open ledger.
        where: Its file, for messages.
    """

    def __init__(self, database: sqlite3.Connection, where: Path) -> None:
        self._database = database
        self._where = where

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def known(self, job: Job) -> Known | None:
        """What is known about a photo."""
        row = self.row(f"SELECT {', '.join(Known._fields)} FROM photos WHERE source = ?", key(job.source))
        return Known(*row) if row else None

    def insert(self, job: Job, state: str, scan: int, changed_ns: int, attempts: int, reason: str | None) -> None:
        """Notes a photo again; what is known of its source's and its output's bytes stays."""
        self.execute(
            "INSERT INTO photos (source, target, size, modified_ns, changed_ns, settings, state, scan, attempts, "
            "reason, frames) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
            "target = excluded.target, size = excluded.size, modified_ns = excluded.modified_ns, "
            "changed_ns = excluded.changed_ns, settings = excluded.settings, state = excluded.state, "
            "scan = excluded.scan, attempts = excluded.attempts, frames = excluded.frames, reason = excluded.reason, "
            "target_sha256 = CASE WHEN target = excluded.target THEN target_sha256 END",
            key(job.source),
            key(job.target),
            job.size,
            job.modified_ns,
            changed_ns,
            job.settings,
            state,
            scan,
            attempts,
            reason,
            frames_text(job.frames),
        )

    def update(self, job: Job, **columns: object) -> None:
        """Changes columns of a photo's row."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.execute(f"UPDATE photos SET {assignments} WHERE source = ?", *columns.values(), key(job.source))

    def row(self, query: str, *values: object) -> tuple[Any, ...]:
        """The first row, or an empty one."""
        return next(iter(self.execute(query, *values)), ())

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            LedgerError: the file cannot be read or written, or holds what makes no sense.
        """
        try:
            return self._database.execute(query, values).fetchall()
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise LedgerError(f"{self._where}: {error}") from error


def key(path: Path) -> Key:
    """A path as SQLite holds it: text, or bytes for a name that is no UTF-8."""
    name = path.as_posix()
    return name if name.isascii() or name.encode("utf-8", "ignore").decode() == name else os.fsencode(name)


def path_of(key: Key) -> Path:
    """The path that a key holds."""
    return Path(os.fsdecode(key))
