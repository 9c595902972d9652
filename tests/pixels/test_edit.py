"""Laws of the edit, with functions in place of the networks."""

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pixels.curves import apply
from pixels.edit import enhance
from pixels.ranges import Photo, to_8_bits
from pixels.refinement import Tile
from pixels.tiling import MARGIN_PX, PHASE_PX, TILE_PX
from tests.photos import photo
from tests.pixels.test_curves import curves_of, stored

IDENTITY, BRIGHTEN = curves_of(), curves_of(np.sqrt)
SIZES = [(1, 1), (1, 3000), (3000, 1), (511, 513), (512, 512), (1301, 999), (2100, 1500)]
Refine = Callable[[Tile, Tile], Tile]


def nothing(_photo: Tile, applied: Tile) -> Tile:
    return applied


def darker(_photo: Tile, applied: Tile) -> Tile:
    return applied // 2


def smooth(before: Tile, applied: Tile) -> Tile:
    """A network with the widest receptive field that is allowed, on blocks of 4 x 4 pixels: sees both its inputs."""
    mixed = cv2.addWeighted(before, 0.25, applied, 0.75, 0)
    height, width = mixed.shape[:2]
    blocks = mixed.reshape(height // PHASE_PX, PHASE_PX, width // PHASE_PX, PHASE_PX, 3).astype(np.float32).mean((1, 3))
    reach = 2 * (MARGIN_PX // PHASE_PX) + 1
    blurred = cv2.blur(blocks, (reach, reach), borderType=cv2.BORDER_REFLECT)
    return np.rint((mixed + 3 * blurred.repeat(PHASE_PX, 0).repeat(PHASE_PX, 1)) / 4).astype(np.uint8)


@pytest.mark.parametrize("refine", [None, nothing])
@pytest.mark.parametrize("strength", [0.5, 1.0, 1.5])
@pytest.mark.parametrize(("dtype", "samples"), [(np.uint8, 3), (np.uint16, 4)])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_identity_in_identity_out(
    width: int, height: int, dtype: type, samples: int, strength: float, refine: Refine | None
) -> None:
    before = stored(width, height, dtype, samples)
    np.testing.assert_array_equal(enhance(before, IDENTITY, refine, strength=strength), before)


@pytest.mark.parametrize(("dtype", "samples"), [(np.uint8, 4), (np.uint16, 3)])
def test_strength_zero_returns_the_photo(dtype: type, samples: int) -> None:
    before = stored(1301, 700, dtype, samples)
    np.testing.assert_array_equal(enhance(before, BRIGHTEN, darker, strength=0), before)


@pytest.mark.parametrize(("width", "height"), [(600, 516), (1304, 1000), (2100, 1504)])
def test_tiles_do_not_show(width: int, height: int) -> None:
    """Tiled equals whole, bit for bit."""
    before = photo(width, height)
    whole = smooth(before, apply(before, BRIGHTEN))
    np.testing.assert_array_equal(enhance(before, BRIGHTEN, smooth), whole)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 512), (1001, 300), (1301, 999)])
def test_a_photo_is_mirrored_where_it_ends_before_the_tile(width: int, height: int) -> None:
    before = photo(width, height)
    beyond = [(0, -height % PHASE_PX if height > TILE_PX else TILE_PX - height)]
    beyond += [(0, -width % PHASE_PX if width > TILE_PX else TILE_PX - width), (0, 0)]
    padded = [np.pad(each, beyond, mode="symmetric") for each in (before, apply(before, BRIGHTEN))]
    np.testing.assert_array_equal(enhance(before, BRIGHTEN, smooth), smooth(*padded)[:height, :width])


@pytest.mark.parametrize("tiles_in_flight", [1, 3, 50])
def test_the_order_in_which_tiles_come_back_does_not_matter(tiles_in_flight: int) -> None:
    before, delays = photo(1500, 1100), threading.Semaphore(1)

    def now_and_then_late(tile: Tile, applied: Tile) -> Tile:
        if delays.acquire(blocking=False):
            threading.Event().wait(0.02)
            delays.release()
        return smooth(tile, applied)

    edited = enhance(before, BRIGHTEN, now_and_then_late, tiles_in_flight=tiles_in_flight)
    np.testing.assert_array_equal(edited, smooth(before, apply(before, BRIGHTEN)))


@pytest.mark.parametrize("samples", [3, 4])
def test_sixteen_bits_keep_their_bits(samples: int) -> None:
    """What the network changes of the photo's 8 bits is added to its 16."""
    before = stored(1001, 600, np.uint16, samples)
    seen = to_8_bits(before)[..., :3].astype(int)
    after = enhance(before, IDENTITY, darker)
    expected = np.clip(before[..., :3].astype(int) + 257 * (seen // 2 - seen), 0, 65535)
    np.testing.assert_array_equal(after[..., :3], expected)
    np.testing.assert_array_equal(after[..., 3:], before[..., 3:])


def test_the_network_sees_the_nearest_8_bits() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, 2)
    np.testing.assert_array_equal(to_8_bits(values), (values.astype(int) + 128) // 257)


@pytest.mark.parametrize(("strength", "share"), [(0.5, 0.5), (1.0, 1.0), (1.5, 1.0)])
def test_strength_scales_what_the_refiner_changes_up_to_once(strength: float, share: float) -> None:
    before = photo(700, 600)
    change = enhance(before, IDENTITY, darker, strength=strength).astype(float) - before
    np.testing.assert_allclose(change, share * (before // 2 - before.astype(float)), atol=0.5)


def test_a_curve_reaches_every_pixel() -> None:
    """Its knots lie dense enough that a square root is met within a few values of 255."""
    before = photo(1500, 1100)
    error = enhance(before, BRIGHTEN) - 255 * np.sqrt(before / 255)
    assert np.abs(error)[before > 20].max() < 8 and np.abs(error).mean() < 2


def test_an_error_of_the_network_reaches_the_caller_and_nothing_runs_on() -> None:
    running, calls = [], []

    def fail(before: Photo, _applied: Tile) -> Tile:
        calls.append(1)
        running.append(1)
        try:
            if len(calls) == 5:
                raise RuntimeError("engine")
            return before
        finally:
            running.pop()

    with pytest.raises(RuntimeError, match="engine"):
        enhance(photo(3000, 2000), IDENTITY, fail, tiles_in_flight=2)
    assert not running and len(calls) < 20  # of 35
