"""The batch as a Ray Data pipeline: workers on many machines read, enhance and store; the ledger stays in one place.

A worker stores an output before its note reaches the ledger. When the job is killed in between, the next run enhances
that photo again, to the same place.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

# Read when Ray is started: nothing phones home, and its own log files hold what would drown our messages.
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}

import ray

from clients.batch.job import Job
from clients.batch.local_engine import Outcome
from clients.batch.order import Order
from clients.batch.sources import developed, fingerprint, read_sources, with_names
from clients.batch.storage import StorageError, is_local, location, store
from clients.batch.worklist import Worklist
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import DeniedError, ProtocolError, UnavailableError
from clients.retry import Retry

BLOCKS = 1000
"""At most so many pieces; a piece's photos reach the ledger together."""
WORKER_CPUS = 0.1
"""A worker mostly waits for the server."""


@dataclass(frozen=True)
class Stored:
    """What a worker tells of an output that is in its place."""

    source_sha256: str
    target_sha256: str
    size: int
    """Of the output in bytes."""
    seconds: float
    megapixels: float


class Worker:
    """Enhances one photo at a time, inside a Ray actor.

    Args:
        sources: The source folder's path or address.
        targets: The output folder's.
        connection: How to reach the servers.
        order: What is made of every photo.
    """

    def __init__(self, sources: str, targets: str, connection: Connection, order: Order) -> None:
        self._sources, self._targets = location(sources), location(targets)
        self._order = order
        if is_local(self._targets):
            self._targets.mkdir(parents=True, exist_ok=True)
        retry = Retry(attempts=max(1, int(connection.patience_s)), longest_wait_s=2.0)  # one second each, on average
        self._enhancer = Enhancer(**connection.settings(), retry=retry)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Takes a pickled job; answers with it and, pickled too, what it has stored or what went wrong."""
        return {"job": row["job"], "note": pickle.dumps(self.made(pickle.loads(row["job"])))}

    def made(self, job: Job) -> Stored | str | Exception:
        """Enhances and stores; a text says what is wrong with this photo, an error what ends the run."""
        try:
            return self._enhance(job)
        except (UnavailableError, DeniedError, ProtocolError, StorageError) as error:
            return error
        except Exception as error:  # one photo can never end a run
            return with_names(str(error), job) or type(error).__name__

    def _enhance(self, job: Job) -> Stored:
        contents = read_sources(self._sources, job)
        target = self._targets / job.target
        photos, options = developed(job, contents), vars(self._order.request(target))
        if job.frames:
            enhanced = self._enhancer.merge(photos, **options)
        else:
            enhanced = self._enhancer.enhance(photos[0], **options)
        enhanced = self._order.finished(enhanced, target)
        store(self._targets, target, enhanced.data, job.modified_ns)
        return Stored(
            fingerprint(contents),
            hashlib.sha256(enhanced.data).hexdigest(),
            len(enhanced.data),
            enhanced.seconds,
            enhanced.megapixels,
        )


def outcomes(worklist: Worklist, connection: Connection, order: Order, address: str | None) -> Iterator[Outcome]:
    """Runs the pending photos of a worklist on a Ray cluster; yields their outcomes as they are noted.

    Args:
        worklist: Where to read and note the photos' states.
        connection: How the workers reach the servers; `in_flight` is the number of workers.
        order: What is made of every photo.
        address: Of a Ray cluster; None starts one on this machine.

    Raises:
        EnhanceError: the servers take none of the photos; those left stay pending.
        StorageError: the outputs cannot be written; the photos left stay pending.
    """
    jobs = list(worklist.pending())
    ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        for row in _pipeline(jobs, worklist, connection, order).iter_rows():
            yield _noted(worklist, pickle.loads(row["job"]), pickle.loads(row["note"]))
    finally:
        ray.shutdown()


def _pipeline(jobs: list[Job], worklist: Worklist, connection: Connection, order: Order) -> ray.data.Dataset:
    rows = [{"job": pickle.dumps(job)} for job in jobs]
    folders = {"sources": _address(worklist.sources), "targets": _address(worklist.targets)}
    return ray.data.from_items(rows, override_num_blocks=min(BLOCKS, len(rows))).map(
        cast(Any, Worker),
        fn_constructor_kwargs={**folders, "connection": connection, "order": order},
        compute=ray.data.ActorPoolStrategy(size=min(connection.in_flight, len(rows))),
        num_cpus=WORKER_CPUS,
    )


def _address(folder: Any) -> str:  # noqa: ANN401  (a Path, or one of an object store)
    return str(folder.absolute())


def _noted(worklist: Worklist, job: Job, note: Stored | str | Exception) -> Outcome:
    if isinstance(note, Exception):
        raise note
    worklist.tried(job)
    if isinstance(note, str):
        worklist.failed(job, note)
        return Outcome(job, error=note)
    worklist.storing(job, note.source_sha256, note.target_sha256, note.size, note.seconds)
    worklist.done(job)
    return Outcome(job, megapixels=note.megapixels)
