"""Is B slower than A? An answer that noise alone seldom gives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 0.02  # two servers of the same commit differ by this much: memory lies differently
CONFIDENCE = 0.99
UNCLEAR = 0.10  # where the interval reaches farther than this from 1, even such a difference may hide in it
RESAMPLES = 5000


@dataclass(frozen=True)
class Verdict:
    """Median ratio of paired times, B over A.

    Attributes:
        ratio: above 1 where B takes longer.
        low: lower end of its bootstrap interval.
        high: upper end.
        outcome: ``slower``, ``faster``, ``no difference seen`` or ``unclear``.
    """

    ratio: float
    low: float
    high: float
    outcome: str

    def __str__(self) -> str:
        """One sentence."""
        interval = f"{100 * CONFIDENCE:.0f} % interval {self.low:.3f} to {self.high:.3f}"
        return f"B takes {self.ratio:.3f} times as long as A ({interval}): {self.outcome}"


def verdict(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Verdict:
    """Compare paired times.

    A pair's two times were taken one after the other, so that what else the machine does meets both; the ratio within
    a pair is what counts. The median ignores the pair that something hit, and resampling the pairs says how far it
    could have come out otherwise. Slower means that even the interval's favourable end is beyond TOLERANCE, unclear
    that the machine was too busy to tell.

    Args:
        a: times of A, at least 2; those of B come in the same order.
        b: times of B.
        seed: of the resampling.
    """
    ratios = np.log(np.asarray(b, float) / np.asarray(a, float))
    picks = np.random.default_rng(seed).integers(0, len(ratios), (RESAMPLES, len(ratios)))
    medians = np.median(ratios[picks], axis=1)
    outside = 100 * (1 - CONFIDENCE) / 2
    low, high = np.exp(np.percentile(medians, [outside, 100 - outside]))
    ratio = np.exp(np.median(ratios))
    outcome = "no difference seen" if low > 1 - UNCLEAR and high < 1 + UNCLEAR else "unclear"
    if low > 1 + TOLERANCE:
        outcome = "slower"
    if high < 1 - TOLERANCE:
        outcome = "faster"
    return Verdict(round(float(ratio), 4), round(float(low), 4), round(float(high), 4), outcome)
