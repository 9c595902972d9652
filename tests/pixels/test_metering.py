"""Metering brings photos of any exposure to the same log-average luminance."""

import numpy as np
import pytest

from pixels.metering import EXPONENT_RANGE, KEY, LUMINANCE, metering_exponent
from pixels.ranges import to_float
from tests.photos import photo


def log_average(pixels: np.ndarray) -> float:
    return float(np.exp(np.log(np.maximum(pixels @ LUMINANCE, 1e-6)).mean()))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.7])
def test_metered_photos_average_to_18_percent_grey(gamma: float) -> None:
    grey = (0.1 + 0.8 * to_float(photo(64, 64)).mean(2, keepdims=True).repeat(3, 2)) ** gamma
    assert log_average(grey ** metering_exponent(grey)) == pytest.approx(KEY, abs=0.01)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_photos_stay_within_range(value: float) -> None:
    low, high = EXPONENT_RANGE
    assert low <= metering_exponent(np.full((8, 8, 3), value, np.float32)) <= high
