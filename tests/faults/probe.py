"""A client that asks all the time, and so knows when the service was away."""

import threading
import time

from clients import Enhancer, Retry
from clients.errors import EnhanceError
from tests.faults.damage import photos

PERIOD_S = 0.2
TIMEOUT_S = 5.0


class Probe:
    """Sends a tiny photo five times a second while the ``with`` block runs, each once.

    Args:
        url: of the service.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._answers: list[tuple[float, bool]] = []
        self._fault_s = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _ask(self) -> None:
        with Enhancer(self._url, retry=Retry(attempts=1), timeout_s=TIMEOUT_S) as enhancer:
            while not self._done.wait(PERIOD_S):
                try:
                    answered = bool(enhancer.enhance(photos()["jpeg grey"], mode="fast").data)
                except EnhanceError:
                    answered = False
                self._answers.append((time.monotonic(), answered))

    def fault(self) -> None:
        """Notes that something is broken now."""
        self._fault_s = time.monotonic()

    @property
    def answered(self) -> int:
        """Its photos that were answered."""
        return sum(answered for _, answered in self._answers)

    @property
    def recovered_s(self) -> float | None:
        """From the fault to the first answer after the last failure; None where every request was answered."""
        after = [each for each in self._answers if each[0] > self._fault_s]
        failures = [when for when, answered in after if not answered]
        if not failures:
            return None
        return round(next((when for when, _ in after if when > failures[-1]), float("inf")) - self._fault_s, 1)
