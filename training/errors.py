"""The one kind of error that users meet."""


class TrainingError(ValueError):
    """Something the user can put right; the message says how. The command line prints it and exits with 1."""
