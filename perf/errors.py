"""The errors that users of the benchmarks meet."""

from command_line.ending import UserError


class PerfError(UserError):
    """A benchmark cannot be run, or its result not be used; the message says what to do."""


class Unavailable(PerfError):
    """An engine or a baseline cannot run here; the message says why."""
