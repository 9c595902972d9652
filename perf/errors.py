"""The one kind of error that users of the benchmarks meet."""


class PerfError(Exception):
    """Something that a person can put right; the message says what is wrong and what to do about it."""
