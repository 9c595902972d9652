"""When to try again, and how long to wait: exponential backoff with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass

from clients.errors import OptionError


@dataclass(frozen=True)
class Retry:
    """Tries after `UnavailableError`, and after that alone.

    Raises:
        OptionError: a value is outside its range.
    """

    attempts: int = 5
    """Tries in all, at least 1."""
    first_wait_s: float = 0.2
    """The longest pause before the second try; it doubles with each further one."""
    longest_wait_s: float = 10.0
    """No pause is longer."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_wait_s < 0 or self.longest_wait_s < self.first_wait_s:
            raise OptionError(f"need attempts >= 1 and 0 <= first_wait_s <= longest_wait_s, not {self}")

    def wait_s(self, failures: int) -> float:
        """The pause after the given number of failures: random, so that clients do not return all at once."""
        return random.uniform(0, min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 100)))
