"""The table of a ledger: one row for each photo, by its source."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from clients.batch.database import LedgerError
from clients.batch.job import Job, frames_text
from clients.batch.judgement import Known

Key = str | bytes


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

    def insert(self, job: Job, state: str, scan: int, changed_ns: int, attempts: int) -> None:
        """Notes a photo again; what is known of its source's and its output's bytes stays."""
        self.execute(
            "INSERT INTO photos (source, target, size, modified_ns, changed_ns, settings, state, scan, attempts, "
            "frames) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
            "target = excluded.target, size = excluded.size, modified_ns = excluded.modified_ns, "
            "changed_ns = excluded.changed_ns, settings = excluded.settings, state = excluded.state, "
            "scan = excluded.scan, attempts = excluded.attempts, frames = excluded.frames, reason = NULL, "
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
