"""How a benchmark ends: its table on the terminal and its result kept, or one line that says what to do."""

import sys
from collections.abc import Callable, Iterable

from deploy.server import ROOT
from deploy.wheel import LaunchError
from perf.errors import PerfError
from perf.results import Result, write

INTERRUPTED = 130  # as a shell reports it


def keep(measure: Callable[[], Result], lines: Callable[[Result], Iterable[str]]) -> int:
    """Measure, print the table, keep the result; returns the exit code.

    Args:
        measure: makes a checked result.
        lines: the result as text.
    """
    try:
        result = measure()
        path = write(result)
    except (PerfError, LaunchError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    print(*lines(result), f"written: {path.relative_to(ROOT)}", sep="\n")
    return 0
