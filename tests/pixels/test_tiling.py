"""Segments cover an axis: every pixel is kept once, away from cuts, and by nobody who is far off."""

from itertools import pairwise

import pytest

from pixels.tiling import MARGIN_PX, PHASE_PX, TILE_PX, segments

LENGTHS_PX = (*range(1, 40), 511, 512, 513, 576, 991, 992, 993, 994, 1000, 2001, 4000, 6000, 10954)
GEOMETRIES = [(512, 16, 4), (512, 0, 1), (512, 100, 2), (32, 7, 1), (32, 4, 4)]


@pytest.mark.parametrize(("tile_px", "margin_px", "phase_px"), GEOMETRIES)
@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_every_pixel_is_kept_once_and_away_from_cuts(
    length_px: int, tile_px: int, margin_px: int, phase_px: int
) -> None:
    found = segments(length_px, tile_px, margin_px, phase_px)
    assert [pixel for each in found for pixel in range(length_px)[each.kept]] == list(range(length_px))
    for each in found:
        assert each.start_px % phase_px == 0 and each.start_px < each.stop_px <= each.start_px + tile_px
        assert each.start_px == 0 or each.kept_start_px - each.start_px >= margin_px
        assert each.stop_px == length_px or each.stop_px - each.kept_stop_px >= margin_px
        assert range(length_px)[each.seen][each.kept_of_tile] == range(length_px)[each.kept]


@pytest.mark.parametrize(("tile_px", "margin_px", "phase_px"), GEOMETRIES)
@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_a_tile_is_cut_short_by_the_photos_end_alone(
    length_px: int, tile_px: int, margin_px: int, phase_px: int
) -> None:
    found = segments(length_px, tile_px, margin_px, phase_px)
    assert all(each.stop_px == each.start_px + tile_px for each in found[:-1])
    assert found[-1].stop_px == length_px
    assert len(found) == 1 or found[-1].stop_px > found[-1].start_px + tile_px - phase_px


@pytest.mark.parametrize(("tile_px", "margin_px", "phase_px"), GEOMETRIES)
@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_what_one_keeps_no_other_sees_but_its_neighbours(
    length_px: int, tile_px: int, margin_px: int, phase_px: int
) -> None:
    """The refiner writes into the photo that it reads, and counts on this."""
    found = segments(length_px, tile_px, margin_px, phase_px)
    assert all(first.kept_stop_px <= third.start_px for first, third in zip(found, found[2:], strict=False))


@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_no_segment_is_wasted(length_px: int) -> None:
    found = segments(length_px)
    reach_with_one_less = TILE_PX + (len(found) - 2) * (TILE_PX - 2 * MARGIN_PX)
    assert len(found) == 1 or reach_with_one_less < length_px
    steps = [right.start_px - left.start_px for left, right in pairwise(found)]
    assert not steps or max(steps) - min(steps) <= PHASE_PX


@pytest.mark.parametrize(("length_px", "margin_px"), [(0, 64), (100, -1), (100, 127)])
def test_impossible_geometry_is_refused(length_px: int, margin_px: int) -> None:
    with pytest.raises(ValueError, match=f"{length_px} px .* {margin_px} px"):
        segments(length_px, 512, margin_px, 2)
