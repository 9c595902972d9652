"""A run from its first photo to its report, in this process or on a Ray cluster."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass

from clients.batch.job import Job
from clients.batch.judgement import Again
from clients.batch.ledger import Ledger
from clients.batch.local_engine import Batch
from clients.batch.order import Order
from clients.batch.report import Progress, Report
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import OptionError

STOPPED = 130
"""The exit code after Ctrl-C or SIGTERM."""


def served_versions(connection: Connection, style: str | None) -> str:
    """The versions of a style's networks that the servers have as one text, such as `generator 2, refiner 1`."""
    with Enhancer(**connection.settings()) as enhancer:
        return ", ".join(f"{name} {version}" for name, version in sorted(enhancer.versions(style).items()))


def note_all(ledger: Ledger, jobs: Iterable[Job], again: Again = Again()) -> Report:  # noqa: B008  (frozen)
    """Notes every photo in the ledger; returns how many are done, failed or still to do."""
    report = Report()
    ledger.begin()
    for job in jobs:
        state = ledger.note(job, again)
        report.skipped += state == "done"
        report.pending += state == "pending"
    ledger.commit()
    return report


@dataclass(frozen=True)
class Engine:
    """What runs a batch: this process, or a Ray cluster."""

    name: str = "local"
    ray_address: str | None = None


def run(ledger: Ledger, report: Report, connection: Connection, order: Order, quiet: bool, engine: Engine) -> None:
    """Enhances what is pending; the report is right even when an error ends the run early."""
    try:
        if report.pending and engine.name == "ray":
            _run_on_ray(ledger, report, connection, order, quiet, engine)
        elif report.pending:
            asyncio.run(_run(ledger, report, connection, order, quiet))
    finally:
        report.failed = [*ledger.failures(), *ledger.lost()]
        report.close(ledger)


def _run_on_ray(
    ledger: Ledger, report: Report, connection: Connection, order: Order, quiet: bool, engine: Engine
) -> None:
    try:
        from clients.batch.ray_engine import outcomes  # Ray is an extra
    except ImportError as error:
        raise OptionError(f"--engine ray needs more packages: make setup PART=ray ({error})") from error
    with Enhancer(**connection.settings()) as enhancer:
        enhancer.check()
    with Progress(report, quiet) as progress:
        for outcome in outcomes(ledger, connection, order, engine.ray_address):
            progress.add(outcome)


async def _run(ledger: Ledger, report: Report, connection: Connection, order: Order, quiet: bool) -> None:
    stop_on_signals()
    async with connection.open() as enhancer:
        await enhancer.check()
        batch = Batch(ledger, enhancer, order, connection.in_flight, connection.patience_s)
        with Progress(report, quiet) as progress:
            async with contextlib.aclosing(batch.run()) as outcomes:
                async for outcome in outcomes:
                    progress.add(outcome)


def stop_on_signals() -> None:
    """Lets Ctrl-C and SIGTERM end the running task in good order; a second one ends the program at once.

    That is safe at any moment: the ledger is made for it.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    signals = [sent for sent in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(sent) is not signal.SIG_IGN]

    def stop() -> None:
        for sent in signals:
            loop.remove_signal_handler(sent)
            signal.signal(sent, lambda *_: os._exit(STOPPED))
        if task:
            task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows
        for sent in signals:
            loop.add_signal_handler(sent, stop)
