"""What can be wrong with a request, told to the person who sent it."""


class RequestError(ValueError):
    """A photo or an option that cannot be served; the message says what is wrong and what would work."""
