"""What can go wrong, as one tree.

EnhanceError
├── OptionError            an option outside its range; nothing was sent (also a ValueError)
├── PhotoError             the server refused this photo or option; the same request would fail again
├── DeadlineError          no answer within timeout_s (also a TimeoutError)
├── DeniedError            the API key or the certificate was not accepted
├── ServerError            the server failed on the photo, does not serve the model, or answered with something else
├── ProtocolError          something answered that does not speak this protocol: wrong port or scheme
└── UnavailableError       worth another try: the only branch that is retried
    ├── BusyError          the server's queue is full, or it is starting or stopping
    └── UnreachableError   no connection, or it broke during the answer (also a ConnectionError)
"""

from __future__ import annotations

from command_line.ending import UserError


class EnhanceError(UserError):
    """Base of everything that this package raises on purpose."""


class OptionError(EnhanceError, ValueError):
    """An option is outside its range; nothing was sent."""


class PhotoError(EnhanceError):
    """The server refused this photo or option."""


class DeadlineError(EnhanceError, TimeoutError):
    """No answer came within the deadline."""


class DeniedError(EnhanceError):
    """The API key or the client's certificate was not accepted."""


class ServerError(EnhanceError):
    """The server failed on a photo it had accepted, does not serve the model, or sent something else than the photo."""


class ProtocolError(EnhanceError):
    """The address answers in another protocol."""


class UnavailableError(EnhanceError):
    """The server cannot take the photo now; a later try may succeed."""


class BusyError(UnavailableError):
    """The server is there but takes no more work at the moment."""


class UnreachableError(UnavailableError, ConnectionError):
    """No connection to the server, or one that broke before the whole answer was there."""
