"""What runs on a GPU is what runs on the host: its primitives on NumPy arrays, against OpenCV's."""

import numpy as np
import pytest

from pixels import device, host, primitives
from pixels.detail import RunTiles
from pixels.edit import enhance
from tests.photos import photo
from tests.pixels.test_edit import BRIGHTEN, IDENTITY, SHARPEN

RNG = np.random.default_rng(0)
BOTH = (host, device)


def floats(*shape: int) -> np.ndarray:
    return RNG.random(shape, np.float32)


@pytest.mark.parametrize("window", [(1, 1), (11, 7), (3, 201)])
def test_blurred_alike(window: tuple[int, int]) -> None:
    before = floats(3, 130, 140)
    results = [before.copy() for _ in BOTH]
    for module, planes in zip(BOTH, results, strict=True):
        module.subtract_blurred(planes, window)
    np.testing.assert_allclose(*results, atol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(64, 50), (300, 50), (100, 13), (100, 211), (1, 50), (100, 50)])
def test_resized_alike(width: int, height: int) -> None:
    pixels = floats(50, 100, 3)
    np.testing.assert_allclose(*(module.resized(pixels, width, height) for module in BOTH), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_are_made_alike(dtype: type) -> None:
    pixels = RNG.integers(0, np.iinfo(dtype).max + 1, (60, 70, 3)).astype(dtype)[5:50, 3:60]
    np.testing.assert_array_equal(*(module.to_planes(pixels) for module in BOTH))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_edits_are_added_alike(dtype: type) -> None:
    pixels = RNG.integers(0, np.iinfo(dtype).max + 1, (60, 70, 3)).astype(dtype)
    edit, results = floats(60, 70, 3) * 2 - 1, [np.empty_like(pixels) for _ in BOTH]
    for module, out in zip(BOTH, results, strict=True):
        module.add_edit(pixels, edit, out)
    assert np.abs(np.subtract(*results, dtype=int)).max() <= 1


def test_planes_are_blended_and_interleaved_alike() -> None:
    planes, share, results = floats(3, 20, 30), floats(20, 30), [np.ones((3, 20, 30), np.float32) for _ in BOTH]
    for module, target in zip(BOTH, results, strict=True):
        module.accumulate(planes, share, target)
    np.testing.assert_allclose(*results, rtol=1e-6)
    np.testing.assert_array_equal(*(module.to_interleaved(planes) for module in BOTH))


@pytest.mark.parametrize("run_tiles", [IDENTITY, BRIGHTEN, SHARPEN])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (300, 700), (1300, 900)])
def test_photos_come_out_alike(monkeypatch: pytest.MonkeyPatch, width: int, height: int, run_tiles: RunTiles) -> None:
    before = photo(width, height)
    on_host = enhance(before, run_tiles)
    monkeypatch.setattr(primitives, "host", device)
    on_device = enhance(before, run_tiles)
    assert np.abs(on_host.astype(int) - on_device).mean() < 0.05  # of 255
