"""Which of Triton's errors are the server's own trouble and not the photo's: those are worth another try."""

from __future__ import annotations

import re

from clients.errors import BusyError, EnhanceError, ServerError, UnreachableError

TROUBLES: tuple[tuple[re.Pattern[str], type[EnhanceError]], ...] = (
    (re.compile("Stub process .* is not healthy"), UnreachableError),  # a model died
    (re.compile("has no available versions|is not ready"), BusyError),  # and is being loaded again
    (re.compile("shared memory pool"), BusyError),  # full of the photos in flight
)


def server_error(message: str) -> type[EnhanceError]:
    """The kind of error that an INTERNAL or a NOT_FOUND of Triton is."""
    return next((kind for trouble, kind in TROUBLES if trouble.search(message)), ServerError)
