"""Laws of the two-scale edit, with functions in place of the network."""

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
import pytest

from pixels.detail import Detail, RunTiles, box_px, high_pass
from pixels.edit import enhance
from pixels.ranges import Floats, to_float, to_planar
from tests.photos import photo


def network(function: Callable[[Floats, Floats], Floats]) -> RunTiles:
    def run_tiles(tiles: Iterable[Floats], exponent: Floats) -> Iterator[Floats]:
        return (function(tile, exponent) for tile in tiles)

    return run_tiles


def sharpen(tile: Floats, _exponent: Floats) -> Floats:
    """Depends on a neighbourhood of 5 px only."""
    blurred = np.stack([cv2.blur(plane, (5, 5), borderType=cv2.BORDER_REFLECT) for plane in tile])
    return 2 * tile - blurred


IDENTITY = network(lambda tile, _: tile)
BRIGHTEN = network(lambda tile, _: tile**0.6)
SHARPEN = network(sharpen)
METER = network(lambda tile, exponent: np.maximum(tile, 1e-4) ** exponent[:, None, None])
SIZES = [(1, 1), (1, 5000), (5000, 1), (511, 513), (512, 512), (3000, 2000)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("detail", [True, False])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_identity_in_identity_out(width: int, height: int, detail: bool, dtype: type) -> None:
    before = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (height, width, 3)).astype(dtype)
    np.testing.assert_array_equal(enhance(before, IDENTITY, detail=detail), before)


@pytest.mark.parametrize("overlap_px", [0, 1, 100, 300])
def test_identity_holds_for_any_overlap(overlap_px: int) -> None:
    before = photo(1300, 700)
    np.testing.assert_array_equal(enhance(before, IDENTITY, overlap_px=overlap_px), before)


@pytest.mark.parametrize(("tile_px", "overlap_px"), [(256, 64), (512, 64), (512, 200)])
def test_tiles_do_not_show(tile_px: int, overlap_px: int) -> None:
    """Tiled and whole agree for a network that sees a neighbourhood."""
    before = to_float(photo(1200, 900))
    edit = sharpen(to_planar(before), 1) - to_planar(before)
    whole = high_pass(edit, (box_px(1200, tile_px), box_px(900, tile_px)))
    tiles = Detail(photo(1200, 900), tile_px, overlap_px)
    tiled = np.concatenate([band.copy() for _, band in tiles.bands(SHARPEN(tiles.cut(), 1.0))], axis=1)
    np.testing.assert_allclose(tiled, whole, atol=0.5 / 255)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (300, 400), (17, 512)])
def test_a_photo_of_one_tile_needs_no_detail_pass(width: int, height: int) -> None:
    before = photo(width, height)
    np.testing.assert_array_equal(enhance(before, BRIGHTEN, detail=True), enhance(before, BRIGHTEN, detail=False))


def test_strength_scales_the_edit() -> None:
    before = photo(700, 600)
    np.testing.assert_array_equal(enhance(before, BRIGHTEN, strength=0), before)
    edits = [enhance(before, BRIGHTEN, strength=s).astype(int) - before for s in (0.5, 1.0)]
    inside = (before > 40) & (before < 200)
    np.testing.assert_allclose(edits[0][inside], edits[1][inside] / 2, atol=1.1)


def test_a_tone_curve_reaches_every_pixel() -> None:
    before = photo(1500, 1100)
    expected = 255 * (before / 255) ** 0.6
    error = np.abs(enhance(before, BRIGHTEN) - expected)
    assert error[before > 20].mean() < 1.0


def test_the_whole_photo_is_metered_once() -> None:
    exponents = set()

    def watch(tile: Floats, exponent: Floats) -> Floats:
        exponents.add(tuple(exponent))
        return tile

    enhance(photo(1500, 700), network(watch))
    assert len(exponents) == 1


def test_a_gradient_wall_stays_smooth() -> None:
    """Detail tiles add nothing low-frequency: at most 1/255 beside the coarse result."""
    ramp = np.linspace(30, 120, 6000, dtype=np.float32)[None, :, None] + np.zeros((4000, 1, 3), np.float32)
    wall = np.rint(ramp).astype(np.uint8)
    full, fast = (enhance(wall, METER, detail=detail).astype(np.float32) for detail in (True, False))
    low_frequency = cv2.blur(full - fast, (65, 65))
    assert np.abs(low_frequency).max() <= 1.0


def test_an_error_of_the_network_reaches_the_caller() -> None:
    def fail(_tile: Floats, _exponent: Floats) -> Floats:
        raise RuntimeError("engine")

    with pytest.raises(RuntimeError, match="engine"):
        enhance(photo(100, 100), network(fail))
