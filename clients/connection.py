"""How to reach the servers: what the command line, batches and the page hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clients.enhancer import DEFAULT_URL, TIMEOUT_S, AsyncEnhancer, Enhancer
from clients.errors import OptionError
from clients.retry import Retry
from clients.transports.base import Tls

IN_FLIGHT = 4
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Connection:
    """Servers, and how many photos they are sent at a time.

    Raises:
        OptionError: an address, a certificate file or a number makes no sense.
    """

    urls: tuple[str, ...] = (DEFAULT_URL,)
    tls: Tls = Tls()  # noqa: RUF009  (frozen)
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float | None = TIMEOUT_S
    """Deadline of one photo."""
    in_flight: int = IN_FLIGHT
    """The most photos at a time."""
    patience_s: float = PATIENCE_S
    """How long a batch waits for a server that is gone or busy before it gives up."""

    def __post_init__(self) -> None:
        if self.in_flight < 1:
            raise OptionError(f"in-flight must be 1 or more, not {self.in_flight}")
        Enhancer(**self.settings()).close()  # finds whatever is wrong before anything is written

    def settings(self) -> dict[str, Any]:
        """The arguments of a client."""
        return {"url": self.urls, "tls": self.tls, "headers": dict(self.headers), "timeout_s": self.timeout_s}

    def open(self) -> AsyncEnhancer:
        """A client that tries every server once and leaves the waiting to the batch."""
        return AsyncEnhancer(**self.settings(), retry=Retry(attempts=len(self.urls)))
