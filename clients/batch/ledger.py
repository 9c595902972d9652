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

from clients.batch.database import Rows, key, open_database, path_of
from clients.batch.job import Job
from clients.batch.judgement import TICK_NS, Again, Judge, Known, remove_remains
from clients.batch.sources import fingerprint_of_files
from clients.batch.worklist import KEPT, Entry, Worklist, exists, sentence
from files.digest import sha256

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
        job, known = entry.job, self._rows.known(entry.job)
        verdict = "trouble" if job.trouble else self._verdict(job, known, again)
        columns: dict[str, object] = {}
        if known is not None and verdict in ("done", "failed"):
            entry.state = "skipped" if verdict == "done" else verdict
            entry.reason, entry.attempts = known.reason and sentence(known.reason), known.attempts
            entry.target_size, entry.model = known.target_size, known.model
        elif verdict in ("kept", "found"):
            columns = self._existing(entry, is_ours=verdict == "found")
        elif verdict == "trouble":
            super()._judge(entry, again)
            entry.attempts, columns = known.attempts if known else 0, {"source_sha256": None}
        else:
            is_seen = known is not None and (known.size, known.modified_ns) == (job.size, job.modified_ns)
            entry.attempts = known.attempts if known and is_seen else 0
            if exists(entry.target):
                columns = {"target_sha256": ""}  # it may be replaced, by a later run as well
        state = "done" if entry.state == "skipped" else entry.state
        self._rows.insert(job, state, self._scan, _kept_change(job), entry.attempts, entry.reason)
        if columns:
            self._rows.update(job, **columns)

    def _verdict(self, job: Job, known: Known | None, again: Again) -> str:
        try:
            if known is not None and known.state == "storing":
                remove_remains(self.targets / path_of(known.target))
            judge = Judge(self.sources, self.targets, self.model, self.put_aside is not None, again)
            about_this_output = known is not None and known.target == key(job.target)
            return judge.verdict(job, known if about_this_output else None)
        except Exception:  # reading or writing this photo will tell what is wrong with it
            return "pending"

    def _existing(self, entry: Entry, is_ours: bool) -> dict[str, object]:
        """What the ledger records about an existing output."""
        entry.state, entry.reason = "skipped", None if is_ours else KEPT
        columns: dict[str, object] = dict.fromkeys(("source_sha256", "target_sha256", "target_size", "model", "run"))
        if is_ours:
            entry.target_size = entry.target.stat().st_size
            columns |= {"target_size": entry.target_size, "target_sha256": sha256(entry.target)}
            columns["source_sha256"] = fingerprint_of_files(self.sources, entry.job)
        return columns

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
