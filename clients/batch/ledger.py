"""The ledger of a batch: every photo's state in one SQLite file, right after any crash.

An output is stored in three steps: its hash is noted (`storing`), the file is written and renamed, `done` is noted.
After a crash a photo in `storing` is done if the output has the noted hash, and pending otherwise: nothing is lost,
nothing is done twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from clients.batch.database import LedgerError, open_database
from clients.batch.job import Job
from clients.batch.judgement import TICK_NS, Again, Judge, Known, remove_remains
from clients.batch.rows import Rows, key, path_of
from clients.batch.sources import fingerprint_of_files, sha256
from clients.batch.worklist import KEPT, Entry, Worklist, exists

LEDGER_NAME = ".enhance.sqlite"


class Ledger(Worklist):
    """A worklist that remembers from run to run; it is opened or created, by one process at a time.

    Args:
        sources: The folder that source paths are relative to.
        targets: The folder that output paths are relative to.
        folder: Where the ledger lies: among the outputs by default.

    Raises:
        LedgerError: another batch holds it, a later version of this program wrote it, or it cannot be written.
    """

    def __init__(self, sources: Path, targets: Path, folder: Path | None = None) -> None:
        super().__init__(sources, targets)
        self.folder = targets
        path = (folder or targets) / LEDGER_NAME
        database, self.put_aside = open_database(path)
        """Where a damaged ledger went; then photos whose outputs are there are done."""
        self._rows = Rows(database, path)
        self._scan = 1 + int(self._rows.row("SELECT ifnull(max(scan), 0) FROM photos")[0])

    def close(self) -> None:
        """Closes the file."""
        self._rows.close()

    def note_all(self, jobs: Iterable[Job], again: Again = Again()) -> None:  # noqa: B008  (frozen)
        """Notes every photo that a search finds; they become durable together."""
        self._rows.execute("BEGIN")
        super().note_all(jobs, again)
        self._rows.execute("COMMIT")

    def _is_free(self, target: Path, job: Job) -> bool:
        """Whether no other photo has this output, or both it and its output are gone."""
        rows = self._rows.execute(
            "SELECT source, scan FROM photos WHERE target = ? AND source <> ? AND state <> 'failed'",
            key(target),
            key(job.source),
        )
        others = [(self.sources / path_of(source), scan) for source, scan in rows]
        return not any(scan == self._scan or exists(self.targets / target) or exists(other) for other, scan in others)

    def _judge(self, entry: Entry, again: Again) -> None:
        known = self._rows.known(entry.job)
        if entry.job.trouble:
            super()._judge(entry, again)
            self._insert(entry, known.attempts if known else 0)
            self._rows.update(entry.job, reason=entry.reason, source_sha256=None)
            return
        try:
            verdict = self._verdict(entry.job, known, again)
        except LedgerError:
            raise
        except Exception:  # reading or writing this photo will tell what is wrong with it
            verdict = "pending"
        if known is not None and verdict in ("done", "failed"):
            self._keep(entry, known, verdict)
        elif verdict == "pending":
            self._note_pending(entry, known)
        else:
            self._note_existing(entry, is_ours=verdict == "found")

    def _verdict(self, job: Job, known: Known | None, again: Again) -> str:
        if known is not None and known.state == "storing":
            remove_remains(self.targets / path_of(known.target))
        judge = Judge(self.sources, self.targets, self.model, self.put_aside is not None, again)
        about_this_output = known is not None and known.target == key(job.target)
        return judge.verdict(job, known if about_this_output else None)

    def _keep(self, entry: Entry, known: Known, state: str) -> None:
        job = entry.job
        entry.state = "skipped" if state == "done" else state
        entry.reason, entry.attempts = known.reason, known.attempts
        entry.target_size, entry.model = known.target_size, known.model
        look = {"size": job.size, "modified_ns": job.modified_ns, "changed_ns": _kept_change(job)}
        self._rows.update(job, state=state, scan=self._scan, **look)

    def _note_pending(self, entry: Entry, known: Known | None) -> None:
        seen = known is not None and (known.size, known.modified_ns) == (entry.job.size, entry.job.modified_ns)
        self._insert(entry, known.attempts if known and seen else 0)
        if exists(entry.target):  # and may be replaced, by a later run as well
            self._rows.execute(
                "UPDATE photos SET target_sha256 = ifnull(target_sha256, '') WHERE source = ?", key(entry.job.source)
            )

    def _note_existing(self, entry: Entry, is_ours: bool) -> None:
        entry.state, entry.reason = "skipped", None if is_ours else KEPT
        entry.target_size = entry.target.stat().st_size if is_ours else None
        self._insert(entry, 0)
        self._rows.update(
            entry.job,
            reason=entry.reason,
            source_sha256=fingerprint_of_files(self.sources, entry.job) if is_ours else None,
            target_sha256=sha256(entry.target) if is_ours else None,
            target_size=entry.target_size,
            model=None,
            run=None,
        )

    def _insert(self, entry: Entry, attempts: int) -> None:
        entry.attempts = attempts
        state = "done" if entry.state == "skipped" else entry.state
        self._rows.insert(entry.job, state, self._scan, _kept_change(entry.job), attempts)

    def tried(self, job: Job) -> None:
        """Counts an attempt."""
        super().tried(job)
        self._rows.execute("UPDATE photos SET attempts = attempts + 1 WHERE source = ?", key(job.source))

    def storing(self, job: Job, source_sha256: str, target_sha256: str, target_size: int, seconds: float) -> None:
        """Notes what the output is going to be, before it is written."""
        super().storing(job, source_sha256, target_sha256, target_size, seconds)
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
        super().done(job)
        self._rows.update(job, state="done", reason=None)

    def failed(self, job: Job, reason: str, source_sha256: str | None = None) -> None:
        """Notes that the photo cannot be enhanced; it is not tried again while it has these bytes."""
        super().failed(job, reason)
        reason = str(self._entries[job.source].reason)
        self._rows.update(job, state="failed", reason=reason, source_sha256=source_sha256, finished=_now())


def _kept_change(job: Job) -> int:
    """The source's change as it can be relied on: one more within the same tick would leave the same time."""
    return job.changed_ns if job.changed_ns < time.time_ns() - TICK_NS else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
