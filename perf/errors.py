"""The errors that users of the benchmarks meet."""


class PerfError(Exception):
    """Something that a person can put right; the message says what is wrong and what to do about it."""


class Unavailable(PerfError):
    """An engine or a peer cannot run here; the message says why."""
