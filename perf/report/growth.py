"""How time and memory grow with a photo's size: a straight line, and how far from it each size lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """``fixed + per_megapixel * megapixels``, fitted so that relative errors are smallest.

    Attributes:
        residuals: of each point, relative to it; positive where it lies above the line.
    """

    fixed: float
    per_megapixel: float
    residuals: tuple[float, ...]

    def at(self, megapixels: float) -> float:
        """The line's value."""
        return self.fixed + self.per_megapixel * megapixels


def fit(megapixels: Sequence[float], values: Sequence[float]) -> Line:
    """Least squares of the relative error; the largest photo alone would decide an absolute one.

    Args:
        megapixels: at least 2 sizes.
        values: above 0.
    """
    sizes, measured = np.asarray(megapixels, float), np.asarray(values, float)
    design = np.stack([np.ones_like(sizes), sizes], axis=1)
    (fixed, slope), *_ = np.linalg.lstsq(design / measured[:, None], np.ones_like(sizes), rcond=None)
    residuals = measured / (design @ [fixed, slope]) - 1
    return Line(float(fixed), float(slope), tuple(residuals.round(4).tolist()))
