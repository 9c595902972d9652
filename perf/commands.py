"""How a benchmark ends: its table on the terminal and its result kept, or one line that says what to do."""

import sys
from collections.abc import Callable, Iterable

from deploy.interrupts import interruptible
from deploy.server import ROOT
from deploy.wheel import LaunchError
from perf.errors import PerfError
from perf.results import Result, write

INTERRUPTED = 130  # as a shell reports it


def finish(work: Callable[[], int]) -> int:
    """Do the work, which returns the exit code; a user's mistake, Ctrl-C and SIGTERM become one line.

    The servers that the work has started are stopped either way.
    """
    try:
        with interruptible():
            return work()
    except (PerfError, LaunchError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        return INTERRUPTED


def keep(measure: Callable[[], Result], lines: Callable[[Result], Iterable[str]]) -> int:
    """Measure, print the table, keep the result; returns the exit code.

    Args:
        measure: makes a checked result.
        lines: the result as text.
    """

    def work() -> int:
        result = measure()
        path = write(result)
        print(*lines(result), f"written: {path.relative_to(ROOT)}", sep="\n")
        return 0

    return finish(work)
