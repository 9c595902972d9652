"""The file of a ledger: opened by one program at a time, checked, brought up to date, replaced when it is damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

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


class LedgerError(Exception):
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
    except sqlite3.DatabaseError as error:
        database.close()
        raise _meaning(error, path) from error
    except (ValueError, OverflowError) as error:  # messages and numbers that make no sense
        database.close()
        raise _DamagedError(str(error)) from error
    except (LedgerError, _DamagedError):
        database.close()
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
