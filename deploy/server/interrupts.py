"""Ends of processes: Ctrl-C and SIGTERM as one exception, children that end with their parent, whole groups."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGINT raise KeyboardInterrupt, even in a background job, where shells have Ctrl-C ignored."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {each: signal.signal(each, interrupt) for each in INTERRUPTS}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block has ended; `is_interrupted` tells that one waits."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_interrupted() -> bool:
    """Whether a Ctrl-C or SIGTERM is being held back."""
    return bool(signal.sigpending() & INTERRUPTS)


def end_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it, even where that one is killed (prctl(2)).

    For `preexec_fn`; what the parent holds back is not held back in the child.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)


def end_group(group: int, timeout_s: float = 10.0) -> None:
    """Kill every process of a group; returns once none of them runs, so that their ports are free."""
    deadline_s = time.monotonic() + timeout_s
    while running(group) and time.monotonic() < deadline_s:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        time.sleep(0.02)


def running(group: int) -> list[int]:
    """Processes of a group that have not ended."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _runs_in(path, group)]


def _runs_in(stat: Path, group: int) -> bool:
    try:
        state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:  # gone meanwhile
        return False
    return int(its_group) == group and state not in "ZX"
