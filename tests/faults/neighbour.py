"""A good photo beside a stranger who sends broken and hostile files, one after the other, without pause."""

import itertools
import statistics
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from clients import Enhancer
from perf.photos import photo_file
from perf.timing import time_s
from tests.faults.damaged import Files, outcome
from tests.faults.hostile import hostile
from tests.faults.row import Row
from tests.faults.service import Service
from tests.fuzz.mutations import mutated
from tests.kinds import KINDS

NEIGHBOUR = "broken files beside a good photo"
ROUNDS = 15
FILES = 300
"""Made before anything is measured; every sixth was made to do harm, the others are mutated."""
PHOTOS: dict[str, tuple[int, int]] = {"fast": (4000, 3000), "full": (2000, 1500)}
"""Size of the good photo by mode."""


class Stranger:
    """A client that sends files while it is told to.

    Args:
        url: of the service.
        files: to send, by their seed.
    """

    def __init__(self, url: str, files: Files) -> None:
        self.outcomes: Counter[str] = Counter()
        self._url, self._files = url, files
        self._may_send, self._sending, self._is_over = threading.Event(), threading.Lock(), False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Stranger":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._may_send.set()
        self._thread.join()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While the block runs; after it nothing of the stranger's is in flight."""
        self._may_send.set()
        try:
            yield
        finally:
            self._may_send.clear()
            with self._sending:
                pass

    def _run(self) -> None:
        with Enhancer(self._url) as enhancer:
            for seed in itertools.count():
                self._may_send.wait()
                if self._is_over:
                    return
                with self._sending:
                    if self._may_send.is_set():
                        self.outcomes[outcome(enhancer, self._files, seed)] += 1


def prepared(count: int = FILES) -> Files:
    """Files that cost nothing to make while something is measured."""
    made = [mutated(KINDS, seed) if seed % 6 else hostile(seed // 6) for seed in range(count)]
    return lambda seed: made[seed % count]


def ratios(url: str, stranger: Stranger, mode: str, rounds: int) -> tuple[list[float], list[float]]:
    """Times of a good photo, in turn alone and beside the stranger, over its usual time: the median of those alone."""
    photo = photo_file(*PHOTOS[mode])
    with Enhancer(url) as enhancer:

        def asked_s() -> float:
            return time_s(lambda: enhancer.enhance(photo, mode=mode))

        asked_s()
        usual_s, beside_s = [], []
        for _ in range(rounds):
            usual_s.append(asked_s())
            with stranger.sending():
                beside_s.append(asked_s())
    usual = statistics.median(usual_s)
    return [each / usual for each in usual_s], [each / usual for each in beside_s]


def hostile_neighbour(rounds: int = ROUNDS) -> Row:
    """The photo takes at most twice its usual time."""
    with Service() as service, Stranger(service.grpc_url, prepared()) as stranger:
        found = {mode: ratios(service.grpc_url, stranger, mode, rounds) for mode in PHOTOS}
        deaths = f"{service.restarts()} restarts, {service.reloads()} models loaded again"
    notes = [
        f"{mode}: {statistics.median(beside):.2f} of its usual time (median; worst {max(beside):.2f}, "
        f"alone {max(alone):.2f})"
        for mode, (alone, beside) in found.items()
    ]
    sent = ", ".join(f"{count} {outcome}" for outcome, count in sorted(stranger.outcomes.items()))
    note = "; ".join([*notes, f"files of the stranger's meanwhile: {sent}", deaths])
    return Row(NEIGHBOUR, rounds * len(found), sum(len(beside) for _, beside in found.values()), note=note)


FAULTS = {"hostile-neighbour": hostile_neighbour}
