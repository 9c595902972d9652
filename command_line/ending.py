"""How a command ends: with its exit code, or with one line that says what a person can put right."""

import sys
from collections.abc import Callable

FAILED, INTERRUPTED = 1, 130  # as a shell reports the second


class UserError(Exception):
    """Something that a person can put right; the message says what is wrong and what to do about it."""


def finish(work: Callable[[], int | None]) -> int:
    """Do a command's work; returns its exit code, 0 where the work returns none.

    A UserError, an OSError and Ctrl-C become one line.
    """
    try:
        return work() or 0
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        return INTERRUPTED
