"""Values that are known at the points of a coarse grid over a photo, and wanted at its pixels in between."""

from typing import Any

import numba
import numpy as np


@numba.njit(nogil=True)
def between(place: Any, last: Any) -> tuple[int, int, np.float32]:  # noqa: ANN401 (float32 or float64)
    """The points next to a place on one axis, for linear interpolation; compiled into whoever calls it.

    Args:
        place: float, on the axis whose points are at 0, 1, ... `last`; beyond them, the nearest point counts alone.
        last: float, as the place is.

    Returns:
        The point before, the point after, and how far the place is on the way from one to the other, in [0, 1].
    """
    at = min(max(place, np.float32(0)), last)
    before = int(at)
    return before, min(before + 1, int(last)), np.float32(at - before)
