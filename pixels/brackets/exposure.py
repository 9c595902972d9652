"""How much light a frame got, from its pixels alone, and what their values mean as light."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from pixels.light import GAMMA
from pixels.ranges import Floats, Photo, to_8_bits, white

USABLE = (
    (20, 235),
    (5, 250),
)  # 8-bit values trusted when two frames are compared; the second where few are in the first
UNKNOWN_STEP_EV = 1.5  # assumed between frames that share no well-exposed pixels
SMALLEST_OVERLAP_PX = 500
SAMPLED_PX = 100_000  # of a frame, on a grid: enough for a median


@lru_cache(maxsize=2)
def linear_of_value(peak: int) -> Floats:
    """Linear light in [0, 1] of every stored value up to the largest one, 255 or 65535."""
    return np.asarray((np.arange(peak + 1) / peak) ** GAMMA, np.float32)


def to_linear(photo: Photo) -> Floats:
    """Display values of 8 or 16 bits to float32 linear light in [0, 1], same shape."""
    return np.asarray(linear_of_value(white(photo))[photo], np.float32)


def exposure_values(frames: Sequence[Photo]) -> list[float]:
    """Exposures measured from the photos.

    Args:
        frames: aligned uint8 or uint16 (height, width, 3) of one size, dark to bright.

    Returns:
        EV of each frame relative to the first: the sum of the steps between neighbours, each the median log ratio of
        pixels that are well exposed in both. Things that move are too few to matter to a median.
    """
    values = [0.0]
    height, width = frames[0].shape[:2]
    step = max(1, int((height * width / SAMPLED_PX) ** 0.5))
    for dark, bright in pairwise(to_8_bits(frame[::step, ::step]) for frame in frames):
        values.append(values[-1] + _step_ev(dark, bright))
    return values


def _step_ev(dark: Photo, bright: Photo) -> float:
    darkest, brightest = np.minimum(dark, bright).min(2), np.maximum(dark, bright).max(2)
    for low, high in USABLE:
        usable = (darkest > low) & (brightest < high)
        if usable.sum() > SMALLEST_OVERLAP_PX:
            ratio = to_linear(bright[usable]).mean(1) / to_linear(dark[usable]).mean(1)
            return float(np.median(np.log2(ratio)))
    return UNKNOWN_STEP_EV
