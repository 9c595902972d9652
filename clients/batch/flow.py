"""How many requests may be in flight: as many as the server takes, found by trying."""

from __future__ import annotations

import time
from collections.abc import Callable

SETTLE_S = 1.0


class Flow:
    """Additive increase, multiplicative decrease, as in TCP's congestion control.

    Args:
        most: Never more than this many in flight.
        clock: Seconds that only grow; tests pass their own.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._width = float(most)
        self._refused_at = -SETTLE_S

    @property
    def limit(self) -> int:
        """How many requests may be in flight now, at least 1."""
        return int(self._width)

    def answered(self) -> None:
        """One more request was answered; a round of answers makes room for one more in flight."""
        self._width = min(self._most, self._width + 1 / self._width)

    def refused(self) -> None:
        """The server had no room; refusals that come together count once."""
        now = self._clock()
        if now - self._refused_at >= SETTLE_S:
            self._width = max(1.0, self._width / 2)
            self._refused_at = now
