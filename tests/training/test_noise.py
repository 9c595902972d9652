"""Sensor noise: it keeps the light's mean, grows with its root, and is smeared as demosaicing smears."""

import numpy as np
import pytest

from pixels.light import LUMINANCE
from training.data.noise import BLOTCH_PX, READ_NOISE, blotches, grain, with_noise


def noise_at(level: float, deviation: float = 0.02, seed: int = 0) -> np.ndarray:
    light = np.full((256, 256, 3), level, np.float32)
    return with_noise(light, deviation, np.random.default_rng(seed)) - light


def correlation(plane: np.ndarray, shift: int) -> float:
    return float(np.corrcoef(plane[:, shift:].ravel(), plane[:, :-shift].ravel())[0, 1])


@pytest.mark.parametrize("level", [0.0, 0.05, 0.5, 1.0])
def test_noise_keeps_the_mean_of_the_light(level: float) -> None:
    assert np.abs(noise_at(level).mean((0, 1))).max() < 0.04 * 0.02  # four deviations of such a mean


@pytest.mark.parametrize("deviation", [0.004, 0.01, 0.02])
def test_deviation_is_that_of_white(deviation: float) -> None:
    assert noise_at(1.0, deviation).std() == pytest.approx(deviation, rel=0.06)


def test_deviation_grows_with_the_root_of_the_light_down_to_the_read_noise() -> None:
    black, grey, white = (noise_at(level).std() for level in (0.0, 0.25, 1.0))
    assert grey / white == pytest.approx(np.sqrt((0.25 + READ_NOISE) / (1 + READ_NOISE)), rel=0.03)
    assert black / white == pytest.approx(np.sqrt(READ_NOISE / (1 + READ_NOISE)), rel=0.03)


def test_grain_is_one_to_two_pixels_wide_and_coarser_in_red_and_blue() -> None:
    red, green, blue = np.moveaxis(grain(256, 256, np.random.default_rng(1)), -1, 0)
    assert red.std() == pytest.approx(1, rel=0.03) and green.std() == pytest.approx(1, rel=0.03)
    assert correlation(red, 1) == pytest.approx(2 / 3, abs=0.03)  # of [1 2 1]: (1*2 + 2*1) / (1 + 4 + 1)
    assert correlation(green, 1) == pytest.approx(0.4, abs=0.03)
    assert correlation(blue, 2) == pytest.approx(1 / 6, abs=0.03)
    assert abs(correlation(red, 4)) < 0.03


def test_blotches_are_of_colour_alone_and_many_pixels_wide() -> None:
    colour = blotches(256, 256, np.random.default_rng(2))
    grey = (colour * (1, 1, 1)) @ LUMINANCE
    assert np.std(grey) < 0.35 * colour.std()
    assert correlation(colour[..., 0], BLOTCH_PX // 4) > 0.7
    assert abs(correlation(colour[..., 0], 4 * BLOTCH_PX)) < 0.15


def test_same_random_stream_makes_the_same_noise() -> None:
    assert np.array_equal(noise_at(0.5, seed=3), noise_at(0.5, seed=3))
    assert not np.array_equal(noise_at(0.5, seed=3), noise_at(0.5, seed=4))
