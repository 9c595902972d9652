"""Metering brings photos of any exposure to the same log-average luminance."""

import numpy as np
import pytest

from pixels.metering import CAST_SHARE, EXPONENT_RANGE, KEY, LUMINANCE, metering_exponent
from pixels.ranges import to_float
from tests.photos import photo


def log_average(pixels: np.ndarray) -> float:
    return float(np.exp(np.log(np.maximum(pixels @ LUMINANCE, 1e-6)).mean()))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.7])
def test_metered_photos_average_to_18_percent_grey(gamma: float) -> None:
    grey = (0.1 + 0.8 * to_float(photo(64, 64)).mean(2, keepdims=True).repeat(3, 2)) ** gamma
    assert log_average(grey ** metering_exponent(grey)) == pytest.approx(KEY, abs=0.01)


def test_part_of_a_cast_is_metered_away() -> None:
    grey = to_float(photo(64, 64)).mean(2, keepdims=True).repeat(3, 2) * 0.6 + 0.1
    cast = np.array([1.3, 1.0, 0.7], np.float32)
    metered = [np.log(shot ** metering_exponent(shot)).mean((0, 1)) for shot in (grey, grey * cast)]
    before, after = np.ptp(np.log(cast)), np.ptp(metered[1] - metered[0])
    assert after / before == pytest.approx(1 - CAST_SHARE, abs=0.1)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_photos_stay_within_range(value: float) -> None:
    low, high = EXPONENT_RANGE
    exponent = metering_exponent(np.full((8, 8, 3), value, np.float32))
    assert exponent.shape == (3,) and (low <= exponent).all() and (exponent <= high).all()
