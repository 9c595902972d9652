"""A hot folder: photos are enhanced as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clients.batch.job import Job, Look
from clients.batch.judgement import Again
from clients.batch.local_engine import Batch
from clients.batch.order import Order
from clients.batch.run import stop_on_signals
from clients.batch.worklist import Worklist
from clients.connection import Connection
from clients.errors import OptionError, UnavailableError

POLL_S = 1.0
SETTLE_S = 0.0
"""A photo is taken when two looks at it agree."""
SCENE_SETTLE_S = 10.0
"""With brackets, when no frame has been added to it or changed for so long: the next one may still be on its way."""
Seen = tuple[Look, str, tuple[Path, ...]]


class Settled:
    """Lets a job pass once its files have stopped changing, and not again until they change.

    Args:
        settle_s: For how long they have to stand still, beyond two looks that agree.
        clock: Seconds that only grow; tests pass their own.
    """

    def __init__(self, settle_s: float = SETTLE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, tuple[Seen, float]] = {}
        self._passed: dict[Path, Seen] = {}

    def pick(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs whose files look as they did the last time, and are new since they last passed."""
        seen = {}
        now = self._clock()
        for job in jobs:
            look = (job.look, job.trouble, job.frames)
            before, since = self._seen.get(job.source, (None, now))
            is_settled = before == look and now - since >= self._settle_s
            seen[job.source] = look, since if before == look else now
            if (job.size or job.trouble) and is_settled and look != self._passed.get(job.source):
                self._passed[job.source] = look
                yield job
        self._seen = seen


async def watch(
    worklist: Worklist,
    find: Callable[[], Iterable[Job]],
    connection: Connection,
    order: Order,
    again: Again = Again(),  # noqa: B008  (frozen)
    settle_s: float = SETTLE_S,
) -> None:
    """Looks for photos and enhances them, until it is cancelled."""
    stop_on_signals()
    settled, told = Settled(settle_s), ""
    print("watching; Ctrl-C stops", file=sys.stderr)
    with contextlib.closing(worklist):
        async with connection.open() as enhancer:
            while True:
                trouble = _look(worklist, settled, find, again)
                if trouble != told:
                    print(trouble or "the folder is there again", file=sys.stderr)
                told = trouble
                if worklist.counts()["pending"]:
                    await _serve(Batch(worklist, enhancer, order, connection.in_flight, connection.patience_s))
                await asyncio.sleep(POLL_S)


def _look(worklist: Worklist, settled: Settled, find: Callable[[], Iterable[Job]], again: Again) -> str:
    """Notes what has arrived; returns why the folder cannot be searched now: a share may come back."""
    jobs: list[Job] = []
    trouble = ""
    try:
        jobs.extend(settled.pick(find()))
    except (OSError, OptionError) as error:
        trouble = f"{error} (waiting for it)"
    worklist.note_all(jobs, again)
    for job in jobs:
        if job.trouble:
            print(f"{job.source}: {job.trouble}", file=sys.stderr)
    return trouble


async def _serve(batch: Batch) -> None:
    """Enhances what is pending; a server that is away is waited for, however long it takes."""
    started = time.monotonic()
    try:
        async with contextlib.aclosing(batch.run()) as outcomes:
            async for outcome in outcomes:
                print(f"{outcome.job.source}: {outcome.error or 'done'}", file=sys.stderr)
    except UnavailableError as error:
        print(f"{error} (waited {time.monotonic() - started:.0f} s; photos are kept)", file=sys.stderr)
