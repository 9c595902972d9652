"""The batch as a Ray Data pipeline: workers on many machines read, enhance and store; the ledger stays in one place.

A worker stores an output before its note reaches the ledger. When the job is killed in between, the next run enhances
that photo again, to the same place.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

# Read when Ray is started: nothing phones home, and its own log files hold what would drown our messages.
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}

import ray

from clients.batch.job import Job, frames_of, frames_text
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

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Enhances and stores; the answer says what to note, or what went wrong and for whom."""
        note = {"source": row["source"], "error": "", "stop": "", "source_sha256": "", "target_sha256": ""}
        note |= {"size": 0, "seconds": 0.0, "megapixels": 0.0}
        try:
            return note | self._enhance(row)
        except (UnavailableError, DeniedError, ProtocolError) as error:
            return note | {"stop": type(error).__name__, "error": str(error)}
        except StorageError as error:
            return note | {"stop": "StorageError", "error": str(error)}
        except Exception as error:  # one photo can never end a run
            return note | {"error": with_names(str(error), _job(row)) or type(error).__name__}

    def _enhance(self, row: dict[str, Any]) -> dict[str, Any]:
        job = _job(row)
        contents = read_sources(self._sources, job)
        target = self._targets / job.target
        photos, options = developed(job, contents), vars(self._order.request(target))
        if job.frames:
            enhanced = self._enhancer.merge(photos, **options)
        else:
            enhanced = self._enhancer.enhance(photos[0], **options)
        enhanced = self._order.finished(enhanced, target)
        store(self._targets, target, enhanced.data, row["modified_ns"])
        return {
            "source_sha256": fingerprint(contents),
            "target_sha256": hashlib.sha256(enhanced.data).hexdigest(),
            "size": len(enhanced.data),
            "seconds": enhanced.seconds,
            "megapixels": enhanced.size_px[0] * enhanced.size_px[1] / 1e6,
        }


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
    jobs = {os.fsencode(job.source): job for job in worklist.pending()}
    ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        for note in _pipeline(list(jobs.values()), worklist, connection, order).iter_rows():
            yield _noted(worklist, jobs[note["source"]], note)
    finally:
        ray.shutdown()


def _pipeline(jobs: list[Job], worklist: Worklist, connection: Connection, order: Order) -> ray.data.Dataset:
    rows = [
        {
            "source": os.fsencode(job.source),
            "target": os.fsencode(job.target),
            "size": job.size,
            "modified_ns": job.modified_ns,
            "frames": frames_text(job.frames) or "",
        }
        for job in jobs
    ]
    folders = {"sources": _address(worklist.sources), "targets": _address(worklist.targets)}
    return ray.data.from_items(rows, override_num_blocks=min(BLOCKS, len(rows))).map(
        cast(Any, Worker),
        fn_constructor_kwargs={**folders, "connection": connection, "order": order},
        compute=ray.data.ActorPoolStrategy(size=min(connection.in_flight, len(rows))),
        num_cpus=WORKER_CPUS,
    )


def _job(row: dict[str, Any]) -> Job:
    """The job of a row, as far as a worker needs it."""
    source, target = (Path(os.fsdecode(row[name])) for name in ("source", "target"))
    return Job(source, target, row["size"], row["modified_ns"], "", frames=frames_of(row["frames"]))


def _address(folder: Any) -> str:  # noqa: ANN401  (a Path, or one of an object store)
    return str(folder.absolute())


def _noted(worklist: Worklist, job: Job, note: dict[str, Any]) -> Outcome:
    if note["stop"] == "StorageError":
        raise StorageError(note["error"])
    if note["stop"]:
        kinds = {kind.__name__: kind for kind in (DeniedError, ProtocolError)}
        raise kinds.get(note["stop"], UnavailableError)(note["error"])
    worklist.tried(job)
    if note["error"]:
        worklist.failed(job, note["error"])
        return Outcome(job, error=note["error"])
    worklist.storing(job, note["source_sha256"], note["target_sha256"], note["size"], note["seconds"])
    worklist.done(job)
    return Outcome(job, megapixels=note["megapixels"])
