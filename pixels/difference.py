"""How far apart two pictures are."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

EQUAL_DB = 200.0
"""PSNR of equal pictures: JSON has no infinity."""


def error(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float64]:
    """Value by value, where 1 is white; of floats, or of integers of one type; float64."""
    white = 1 if ours.dtype.kind == "f" else np.iinfo(ours.dtype).max
    return (ours.astype(np.float64) - theirs.astype(np.float64)) / white


def psnr_db(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio over all values, peak 1; of equal ones EQUAL_DB."""
    return decibels(float((error(ours, theirs) ** 2).mean()))


def decibels(mean_squared_error: float) -> float:
    """PSNR of an error whose square is known, peak 1."""
    return EQUAL_DB if mean_squared_error < 1e-20 else -10 * math.log10(mean_squared_error)
