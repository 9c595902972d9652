"""Runs a batch, in this process or on a Ray cluster, under a progress bar."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from clients.batch.local_engine import Batch
from clients.batch.order import Order
from clients.batch.report import Progress, Report
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import OptionError
from command_line.ending import INTERRUPTED


def served_versions(connection: Connection, style: str | None) -> str:
    """The versions of a style's networks that the servers have as one text, such as `generator 2, refiner 1`."""
    with Enhancer(**connection.settings()) as enhancer:
        return ", ".join(f"{name} {version}" for name, version in sorted(enhancer.versions(style).items()))


async def run_here(report: Report, connection: Connection, order: Order, quiet: bool) -> None:
    """Enhances in this process what is pending in the report's worklist."""
    stop_on_signals()
    async with connection.open() as enhancer:
        await enhancer.check()
        batch = Batch(report.worklist, enhancer, order, connection.in_flight, connection.patience_s)
        with Progress(report, quiet) as progress:
            async with contextlib.aclosing(batch.run()) as outcomes:
                async for outcome in outcomes:
                    progress.add(outcome)


def run_on_ray(report: Report, connection: Connection, order: Order, quiet: bool, address: str | None) -> None:
    """Enhances it on a Ray cluster; without an address on one of this machine.

    Raises:
        OptionError: Ray is not installed.
    """
    try:
        from clients.batch.ray_engine import outcomes  # Ray is an extra
    except ImportError as error:
        raise OptionError(f"--engine ray needs more packages: make setup PART=ray ({error})") from error
    with Enhancer(**connection.settings()) as enhancer:
        enhancer.check()
    with Progress(report, quiet) as progress:
        for outcome in outcomes(report.worklist, connection, order, address):
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
            signal.signal(sent, lambda *_: os._exit(INTERRUPTED))
        if task:
            task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows
        for sent in signals:
            loop.add_signal_handler(sent, stop)
