"""Times of calls: in turn where several are compared, so that a busy moment of the machine falls on all of them."""

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

Work = Callable[[], object]


def time_s(work: Work) -> float:
    """Time of one call."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def times_s(work: Work, least_s: float) -> list[float]:
    """Times of calls until they add up to `least_s`; at least one."""
    times: list[float] = []
    while not times or sum(times) < least_s:
        times.append(time_s(work))
    return times


def medians_s(works: Sequence[Work], repeats: int) -> list[float]:
    """Median times of several, done in turn, after a first call of each that does not count."""
    times = [[time_s(work) for work in works] for _ in range(repeats + 1)]
    return [statistics.median(taken) for taken in zip(*times[1:], strict=True)]


def quartiles(name: str, values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles, as fields of a row: ``name``, ``name_q25`` and ``name_q75``."""
    low, middle, high = (float(each) for each in np.quantile(values, (0.25, 0.5, 0.75)))
    return {name: middle, f"{name}_q25": low, f"{name}_q75": high}
