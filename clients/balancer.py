"""Several servers behind one client: round robin over those that answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from clients.errors import DeadlineError, EnhanceError, OptionError, UnreachableError
from clients.transports.base import Transport

Value = TypeVar("Value")

REST_S = (1.0, 30.0)
MOST_FAILURES = 6
"""As many as matter: the rest is at its longest then."""


class Balancer:
    """Hands out servers in turn; one that fails rests, for longer each time, until it answers again.

    Args:
        transports: The servers, at least one.
        clock: Seconds that only grow; tests pass their own.

    Raises:
        OptionError: there is none.
    """

    def __init__(self, transports: Sequence[Transport], clock: Callable[[], float] = time.monotonic) -> None:
        if not transports:
            raise OptionError("no server address given")
        self.transports = list(transports)
        self._clock = clock
        self._next = 0
        self._failures = [0] * len(self.transports)
        self._rests_until = [0.0] * len(self.transports)

    async def first(self, ask: Callable[[Transport], Awaitable[Value]]) -> Value:
        """The answer of the first server that answers; if none does, the error of the first one."""
        errors: list[EnhanceError] = []
        for server in self.transports:
            try:
                return await ask(server)
            except DeadlineError:
                errors.append(UnreachableError(f"{server.address} does not answer"))
            except EnhanceError as error:
                errors.append(error)
        raise errors[0]

    def pick(self) -> Transport:
        """The next server in turn that is not resting, or the one whose rest ends first."""
        now, count = self._clock(), len(self.transports)
        turn = [(self._next + step) % count for step in range(count)]
        chosen = next((i for i in turn if self._rests_until[i] <= now), None)
        if chosen is None:
            chosen = min(turn, key=lambda i: self._rests_until[i])
        self._next = (chosen + 1) % count
        return self.transports[chosen]

    def failed(self, transport: Transport) -> bool:
        """Lets a server rest; returns whether another one is ready to take over at once."""
        index, now = self.transports.index(transport), self._clock()
        self._failures[index] = min(self._failures[index] + 1, MOST_FAILURES)
        self._rests_until[index] = now + min(REST_S[1], REST_S[0] * 2.0 ** (self._failures[index] - 1))
        return any(until <= now for until in self._rests_until)

    def answered(self, transport: Transport) -> None:
        """Ends a server's rest."""
        index = self.transports.index(transport)
        self._failures[index], self._rests_until[index] = 0, 0.0
