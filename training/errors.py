"""The one kind of error that users of the training commands meet."""

from command_line.ending import UserError


class TrainingError(UserError, ValueError):
    """Pairs, weights or options that cannot be used; the message says what to do."""
