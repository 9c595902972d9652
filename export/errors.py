"""The one error that a user of the export commands sees."""


class ExportError(Exception):
    """Something that a person can put right; the message says what is wrong and what to do about it."""
