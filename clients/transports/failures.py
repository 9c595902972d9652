"""Which of Triton's internal errors are the server's own trouble and not the photo's: those are worth another try."""

from __future__ import annotations

import re

from clients.errors import BusyError, EnhanceError, ServerError, UnreachableError

TROUBLES: tuple[tuple[re.Pattern[str], type[EnhanceError]], ...] = (
    (re.compile("Stub process .* is not healthy"), UnreachableError),  # a model died; its server is started anew
    (re.compile("shared memory pool"), BusyError),  # full of the photos in flight
)


def internal_error(message: str) -> type[EnhanceError]:
    """The kind of error that an INTERNAL of Triton is."""
    return next((kind for trouble, kind in TROUBLES if trouble.search(message)), ServerError)
