"""The one error that a user of the export commands sees."""

from command_line.ending import UserError


class ExportError(UserError):
    """A step of the export cannot be done; the message says what to do."""
