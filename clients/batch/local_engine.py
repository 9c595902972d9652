"""Runs the pending photos of a worklist through the server, several at a time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from clients.batch.database import LedgerError
from clients.batch.flow import Flow
from clients.batch.job import Job
from clients.batch.order import Order
from clients.batch.sources import developed, fingerprint, read_sources, with_names
from clients.batch.storage import StorageError, store
from clients.batch.worklist import Worklist
from clients.connection import IN_FLIGHT, PATIENCE_S
from clients.enhancer import AsyncEnhancer
from clients.errors import (
    BusyError,
    DeadlineError,
    DeniedError,
    EnhanceError,
    ProtocolError,
    UnavailableError,
    UnreachableError,
)
from clients.request import Enhanced, Options
from clients.retry import Retry

POLL_S = 0.5
SPARE = 2
"""Photos being read or stored beside those in flight, so that the server does not wait for the disk."""
LOSSES = 4
"""A photo during which the connection broke this often is given up: it may be what kills the server."""
SUSPECT = 2
"""From so many losses on it is sent alone, so that no photo beside it is taken for the culprit."""
DEADLINES = 2
"""A deadline missed once may be the network's fault; missed again with the server there, it is the photo's."""


class _Stop(Exception):
    """Ends the batch: the error concerns every photo, not only this one."""


@dataclass(frozen=True)
class Outcome:
    """What became of one photo."""

    job: Job
    error: str | None = None
    megapixels: float = 0.0


class Batch:
    """Enhances what is pending in a worklist.

    Args:
        worklist: Where to read and note the photos' states.
        enhancer: The client, best with `Retry(attempts=1)`: the batch itself waits, with fewer requests in flight.
        order: What is made of every photo.
        in_flight: The most requests at a time.
        patience_s: How long to wait for a server that is gone or busy before giving up.
    """

    def __init__(
        self,
        worklist: Worklist,
        enhancer: AsyncEnhancer,
        order: Order,
        in_flight: int = IN_FLIGHT,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._worklist = worklist
        self._enhancer = enhancer
        self._order = order
        self._flow = Flow(in_flight)
        self._slots = asyncio.Condition()
        self._in_flight = 0
        self._suspects = 0
        self._answers = 0
        self._patience_s = patience_s
        self._silent_since: float | None = None
        self._pauses = Retry()

    async def run(self) -> AsyncGenerator[Outcome, None]:
        """Yields the outcome of every pending photo as it ends.

        Raises:
            StorageError: the outputs cannot be written; the photos left stay pending.
            UnreachableError, BusyError: no server took a photo for `patience_s`; the photos left stay pending.
            DeniedError, ProtocolError: the server will take none of the photos.
            LedgerError: the ledger cannot be written.
        """
        jobs = self._worklist.pending()
        running: set[asyncio.Task[Outcome]] = set()
        try:
            while True:
                while len(running) < self._flow.limit + SPARE and (job := next(jobs, None)):
                    running.add(asyncio.create_task(self._one(job)))
                if not running:
                    return
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(finished, key=lambda each: each.exception() is not None):
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, job: Job) -> Outcome:
        """Whatever goes wrong with one photo is noted as its failure; what concerns all photos is raised."""
        digest = None
        try:
            contents = await asyncio.to_thread(read_sources, self._worklist.sources, job)
            digest = await asyncio.to_thread(fingerprint, contents)
            enhanced = await self._enhance(job, await asyncio.to_thread(developed, job, contents))
            enhanced = await asyncio.to_thread(self._order.finished, enhanced, job.target)
            return await self._store(job, digest, enhanced)
        except _Stop as stop:
            raise stop.args[0] from None
        except (StorageError, LedgerError):
            raise
        except EnhanceError as error:
            reason = with_names(str(error), job)
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
        except Exception as error:  # one photo can never end a run
            reason = f"failed in a way that nobody thought of ({type(error).__name__}: {error})"
        self._worklist.failed(job, reason, digest)
        return Outcome(job, error=reason)

    @contextlib.asynccontextmanager
    async def _slot(self, alone: bool) -> AsyncGenerator[None, None]:
        """One of the requests that may be in flight; `alone`, the only one."""
        self._suspects += alone
        try:
            async with self._slots:
                await self._slots.wait_for(lambda: self._has_room(alone))
                self._in_flight += 1
            try:
                yield
            finally:
                self._in_flight -= 1
        finally:
            self._suspects -= alone
            async with self._slots:
                self._slots.notify_all()

    def _has_room(self, alone: bool) -> bool:
        return self._in_flight == 0 if alone else self._in_flight < self._flow.limit and not self._suspects

    async def _enhance(self, job: Job, photos: tuple[bytes, ...]) -> Enhanced:
        """Sends a photo, or the frames of a scene, until it is answered; waits while the server is busy or gone."""
        losses = refusals = deadlines = answers = 0
        refused_since = None
        while True:
            try:
                async with self._slot(alone=losses >= SUSPECT):
                    if not (losses or refusals):
                        self._worklist.tried(job)
                    enhanced = await self._send(photos, self._order.request(job.target))
            except BusyError as error:
                self._flow.refused()
                refusals += 1
                if refused_since is None:
                    refused_since, answers = time.monotonic(), self._answers
                if time.monotonic() - refused_since > self._patience_s and self._answers > answers:
                    raise EnhanceError(f"given up: refused for long while others were taken: {error}") from error
                self._check_patience(error)
                await asyncio.sleep(self._pauses.wait_s(min(refusals, 8)))
            except (UnreachableError, DeadlineError) as error:
                losses += 1
                deadlines += isinstance(error, DeadlineError)
                if losses == LOSSES or deadlines == DEADLINES:
                    raise EnhanceError(f"given up after {losses} tries: {error}") from error
                await self._wait_for_server()
            except (DeniedError, ProtocolError):
                await self._wait_for_server()  # raises if it is not about this photo alone
                raise
            else:
                self._flow.answered()
                self._answers += 1
                self._silent_since = None
                return enhanced

    async def _send(self, photos: tuple[bytes, ...], options: Options) -> Enhanced:
        if len(photos) > 1:
            return await self._enhancer.merge(photos, **vars(options))
        return await self._enhancer.enhance(photos[0], **vars(options))

    async def _wait_for_server(self) -> None:
        while True:
            try:
                await self._enhancer.check()
                break
            except UnavailableError as error:
                self._check_patience(error)
            except EnhanceError as error:
                raise _Stop(error) from error
            await asyncio.sleep(POLL_S)
        self._silent_since = None

    def _check_patience(self, error: UnavailableError) -> None:
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > self._patience_s:
            raise _Stop(error)

    async def _store(self, job: Job, source_sha256: str, enhanced: Enhanced) -> Outcome:
        target = self._worklist.targets / job.target
        digest = hashlib.sha256(enhanced.data).hexdigest()
        self._worklist.storing(job, source_sha256, digest, len(enhanced.data), enhanced.seconds)
        await asyncio.to_thread(store, self._worklist.folder, target, enhanced.data, job.modified_ns)
        self._worklist.done(job)
        return Outcome(job, megapixels=enhanced.megapixels)
