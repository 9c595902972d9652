"""The verdict on two states: noise is not flagged, a slowdown is."""

from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from perf.comparison.compare import LEAST_PAIRS, MOST_PAIRS, Measure, paired
from perf.comparison.verdict import verdict

SEEDS = range(100)


def times_ms(seed: int, factor: float = 1.0, noise: float = 0.03, pairs: int = 25) -> NDArray[np.float64]:
    """Runs of 50 ms with noise, of which one in twelve meets something else on the machine."""
    rng = np.random.default_rng(seed)
    disturbed = np.where(rng.random(pairs) < 1 / 12, rng.uniform(1.5, 4, pairs), 1)
    return factor * 50 * rng.lognormal(0, noise, pairs) * disturbed


def outcomes(factor: float) -> list[str]:
    return [verdict(times_ms(2 * seed), times_ms(2 * seed + 1, factor)).outcome for seed in SEEDS]


def test_the_same_distribution_is_not_flagged() -> None:
    assert {"slower", "faster"}.isdisjoint(outcomes(1.0))


def test_ten_per_cent_are_flagged_whichever_side_is_slower() -> None:
    assert outcomes(1.1).count("slower") >= 0.95 * len(SEEDS)
    assert outcomes(1 / 1.1).count("faster") >= 0.95 * len(SEEDS)


def test_what_meets_both_of_a_pair_does_not_count() -> None:
    rng = np.random.default_rng(0)
    neighbours = rng.uniform(1, 5, 20)
    a, b = 50 * neighbours * rng.lognormal(0, 0.01, 20), 55 * neighbours * rng.lognormal(0, 0.01, 20)
    assert verdict(a, b).outcome == "slower"
    assert verdict(a, rng.permutation(b)).outcome == "unclear"


def test_a_machine_too_busy_to_tell_says_so() -> None:
    assert verdict(times_ms(0, noise=0.5), times_ms(1, noise=0.5)).outcome == "unclear"


def test_exchanged_sides_give_the_inverse() -> None:
    a, b = times_ms(0), times_ms(1, 1.2)
    forward, backward = verdict(a, b), verdict(b, a)
    assert forward.outcome == "slower" and backward.outcome == "faster"
    assert backward.ratio == pytest.approx(1 / forward.ratio, abs=1e-3)


def steady(value: float) -> Measure:
    return lambda: value


def test_pairs_are_measured_until_the_interval_is_narrow_or_no_more() -> None:
    assert len(paired(steady(50.0), steady(55.0)).a_ms) == LEAST_PAIRS
    rng = np.random.default_rng(0)
    assert len(paired(steady(50.0), lambda: float(rng.lognormal(4, 1))).a_ms) == MOST_PAIRS


def test_neither_side_is_always_first() -> None:
    clock = count()
    found = paired(lambda: 1 + next(clock), lambda: 1 + next(clock), most=LEAST_PAIRS)
    assert sum(a < b for a, b in zip(found.a_ms, found.b_ms, strict=True)) == LEAST_PAIRS / 2
