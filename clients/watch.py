"""A hot folder: photos are enhanced as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clients.batch import Batch
from clients.commands import Connection, note_all, stop_on_signals
from clients.enhancer import AsyncEnhancer
from clients.errors import OptionError, UnavailableError
from clients.job import Job
from clients.judgement import Again
from clients.ledger import Ledger
from clients.order import Order

POLL_S = 1.0
Look = tuple[int, int, int, str]


class Settled:
    """Lets a job pass once its file has stopped changing between two looks, and not again until it changes."""

    def __init__(self) -> None:
        self._seen: dict[Path, Look] = {}
        self._passed: dict[Path, Look] = {}

    def pick(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs whose files look as they did the last time, and are new since they last passed."""
        seen = {}
        for job in jobs:
            look = (job.size, job.modified_ns, job.changed_ns, job.trouble)
            seen[job.source] = look
            if (job.size or job.trouble) and self._seen.get(job.source) == look != self._passed.get(job.source):
                self._passed[job.source] = look
                yield job
        self._seen = seen


def watch(
    ledger: Ledger,
    find: Callable[[], Iterable[Job]],
    connection: Connection,
    order: Order,
    again: Again = Again(),  # noqa: B008  (frozen)
) -> None:
    """Looks for photos and enhances them, until it is interrupted."""
    try:
        asyncio.run(_watch(ledger, find, connection, order, again))
    finally:
        ledger.close()


async def _watch(
    ledger: Ledger, find: Callable[[], Iterable[Job]], connection: Connection, order: Order, again: Again
) -> None:
    stop_on_signals()
    settled, told = Settled(), ""
    print("watching; Ctrl-C stops", file=sys.stderr)
    async with connection.open() as enhancer:
        while True:
            trouble = _look(ledger, settled, find, again)
            if trouble != told:
                print(trouble or "the folder is there again", file=sys.stderr)
            told = trouble
            if ledger.counts()["pending"]:
                await _serve(ledger, enhancer, Batch(ledger, enhancer, order, connection.in_flight))
            await asyncio.sleep(POLL_S)


def _look(ledger: Ledger, settled: Settled, find: Callable[[], Iterable[Job]], again: Again) -> str:
    """Notes what has arrived; returns why the folder cannot be searched now: a share may come back."""
    jobs: list[Job] = []
    trouble = ""
    try:
        jobs.extend(settled.pick(find()))
    except (OSError, OptionError) as error:
        trouble = f"{error} (waiting for it)"
    note_all(ledger, jobs, again)
    for job in jobs:
        if job.trouble:
            print(f"{job.source}: {job.trouble}", file=sys.stderr)
    return trouble


async def _serve(ledger: Ledger, enhancer: AsyncEnhancer, batch: Batch) -> None:
    """Enhances what is pending; a server that is away is waited for, however long it takes."""
    started = time.monotonic()
    try:
        async with contextlib.aclosing(batch.run()) as outcomes:
            async for outcome in outcomes:
                print(f"{outcome.job.source}: {outcome.error or 'done'}", file=sys.stderr)
    except UnavailableError as error:
        print(f"{error} (waited {time.monotonic() - started:.0f} s; photos are kept)", file=sys.stderr)
