"""How a benchmark ends: with its exit code, or with one line that says what to do."""

import sys
from collections.abc import Callable

from deploy.interrupts import interruptible
from deploy.wheel import LaunchError
from perf.errors import PerfError

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
