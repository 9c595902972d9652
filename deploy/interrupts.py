"""Ends of processes: Ctrl-C and SIGTERM as one exception, children that end with their parent."""

import contextlib
import ctypes
import signal
from collections.abc import Iterator
from types import FrameType

PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGINT raise KeyboardInterrupt, even in a background job, where shells have Ctrl-C ignored."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def end_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it, even where that one is killed (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
