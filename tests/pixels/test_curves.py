"""Curves over a photo: what they are to do, written a second time in plain NumPy, and their laws."""

import numpy as np
import pytest

from pixels.curves import CELLS, KNOTS, apply
from pixels.ranges import Floats, Photo
from tests.photos import photo

KINDS = [(np.uint8, 3), (np.uint8, 4), (np.uint16, 3), (np.uint16, 4)]
SIZES = [(1, 1), (1, 700), (900, 1), (129, 131), (512, 512), (1400, 900)]


def stored(width: int, height: int, dtype: type, samples: int = 3) -> Photo:
    """Every value there is, at random."""
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (height, width, samples)).astype(dtype)


def curves_of(function: np.ufunc | None = None, noise: float = 0.0, cells: int = CELLS) -> Floats:
    """The same curve everywhere, and noise on every knot of every cell."""
    values = np.asarray(KNOTS) if function is None else function(np.asarray(KNOTS))
    planes = np.tile(values, 3)[:, None, None].repeat(cells, 1).repeat(cells, 2)
    return (planes + np.random.default_rng(1).uniform(-noise, noise, planes.shape)).astype(np.float32)


def axis(length: int, cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = np.clip((np.arange(length) + 0.5) * cells / length - 0.5, 0, cells - 1)
    low = at.astype(int)
    return low, np.minimum(low + 1, cells - 1), at - low


def reference(before: Photo, curves: Floats, strength: float) -> np.ndarray:
    """The unrounded result in stored values: a curve for every pixel, then np.interp between its knots."""
    height, width, white = *before.shape[:2], np.iinfo(before.dtype).max
    identity = np.tile(KNOTS, 3)[:, None, None]
    recorded = curves.reshape(3, len(KNOTS), *curves.shape[1:]).astype(float)
    burnt_out = recorded[:, -1].copy()
    recorded[:, -1] = np.minimum(recorded[:, -2] + 4 / 21 * (recorded[:, -2] - recorded[:, -3]), burnt_out)
    grid = identity + strength * (recorded.reshape(curves.shape) - identity)
    lift = strength * np.repeat(burnt_out - recorded[:, -1], len(KNOTS), axis=0)
    grid = np.concatenate([grid, lift])
    (top, bottom, down), (left, right, across) = axis(height, grid.shape[1]), axis(width, grid.shape[2])
    rows = grid[:, top] + down[:, None] * (grid[:, bottom] - grid[:, top])
    every = (rows[:, :, left] + across * (rows[:, :, right] - rows[:, :, left])).reshape(6, len(KNOTS), height, width)
    after = before[..., :3].astype(float)
    mean = (after.min(axis=2) + 3 * after.max(axis=2)) / 4 / white
    near = np.clip((mean - 0.8) / 0.2, 0, 1) ** 2
    for channel, y, x in np.ndindex(3, height, width):
        after[y, x, channel] = white * np.interp(before[y, x, channel] / white, KNOTS, every[channel, :, y, x])
        after[y, x, channel] += white * near[y, x] * every[3 + channel, -1, y, x]
    return np.clip(after, 0, white)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("strength", [0.5, 1.0, 1.5])
@pytest.mark.parametrize(("width", "height", "cells"), [(40, 30, 8), (7, 50, 16), (1, 1, 4), (30, 20, 1)])
def test_as_written_in_numpy(width: int, height: int, cells: int, strength: float, dtype: type) -> None:
    before, curves = stored(width, height, dtype), curves_of(np.sqrt, noise=0.3, cells=cells)
    error = apply(before, curves, strength) - reference(before, curves, strength)
    assert np.abs(error).max() <= 0.5 + 1e-6 * np.iinfo(dtype).max


@pytest.mark.parametrize(("dtype", "samples"), KINDS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_strength_zero_returns_the_photo(width: int, height: int, dtype: type, samples: int) -> None:
    before = stored(width, height, dtype, samples)
    np.testing.assert_array_equal(apply(before, curves_of(np.sqrt, noise=1.0), 0.0), before)


@pytest.mark.parametrize("strength", [0.3, 1.0, 1.5])
@pytest.mark.parametrize(("dtype", "samples"), KINDS)
def test_identity_in_identity_out(dtype: type, samples: int, strength: float) -> None:
    before = stored(700, 300, dtype, samples)
    np.testing.assert_array_equal(apply(before, curves_of(), strength), before)


@pytest.mark.parametrize(("dtype", "samples"), KINDS)
def test_alpha_passes_and_the_photo_stays(dtype: type, samples: int) -> None:
    before = stored(64, 48, dtype, samples)
    kept = before.copy()
    after = apply(before, curves_of(np.sqrt))
    np.testing.assert_array_equal(before, kept)
    assert (after[..., :3] >= before[..., :3]).all() and (after.dtype, after.shape) == (before.dtype, before.shape)
    np.testing.assert_array_equal(after[..., 3:], before[..., 3:])


def test_the_result_may_take_the_photos_place() -> None:
    before, curves = photo(333, 222), curves_of(np.sqrt, noise=0.1)
    expected = apply(before, curves)
    assert apply(before, curves, out=before) is before
    np.testing.assert_array_equal(before, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("offset", "all_of_it"), [(-2.0, 0), (2.0, 1)])
def test_what_leaves_the_range_saturates(offset: float, all_of_it: int, dtype: type) -> None:
    after = apply(stored(50, 40, dtype), curves_of() + np.float32(offset))
    assert (after == all_of_it * np.iinfo(dtype).max).all()


def test_every_channel_has_curves_of_its_own() -> None:
    curves = curves_of()
    curves[len(KNOTS) : 2 * len(KNOTS)] = 0  # green
    after, before = apply(photo(90, 70), curves), photo(90, 70)
    np.testing.assert_array_equal(after[..., [0, 2]], before[..., [0, 2]])
    assert not after[..., 1].any()


def test_a_rising_edit_of_a_uniform_wall_is_smooth() -> None:
    """From cell to cell a line: no step is more than one value larger than the others."""
    curves = curves_of() * np.linspace(0.5, 1.5, CELLS, dtype=np.float32)
    row = apply(np.full((20, 3000, 3), 120, np.uint8), curves)[10, :, 0].astype(int)
    assert row[0] == 60 and row[-1] == 180
    assert set(np.diff(row)) <= {0, 1}
