"""Segments cover an axis, and their weights share out every pixel."""

from itertools import pairwise

import numpy as np
import pytest

from pixels.tiling import segments

LENGTHS_PX = (1, 2, 511, 512, 513, 576, 1000, 2000, 4000, 6000)


@pytest.mark.parametrize("overlap_px", [0, 1, 32, 64, 200, 500])
@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_weights_are_positive_and_add_up_to_one(length_px: int, overlap_px: int) -> None:
    total = np.zeros(length_px)
    for segment in segments(length_px, 512, overlap_px):
        assert segment.weights.min() > 0
        assert len(segment.weights) == segment.size_px
        total[segment.start_px : segment.stop_px] += segment.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("overlap_px", [0, 64, 200])
@pytest.mark.parametrize("length_px", LENGTHS_PX)
def test_neighbours_overlap_and_no_segment_is_wasted(length_px: int, overlap_px: int) -> None:
    found = segments(length_px, 512, overlap_px)
    assert found[0].start_px == 0
    assert found[-1].stop_px == length_px
    assert all(left.stop_px - right.start_px >= overlap_px for left, right in pairwise(found))
    reach_with_one_less = 512 + (len(found) - 2) * (512 - overlap_px)
    assert len(found) == 1 or reach_with_one_less < length_px


def test_a_cut_counts_least() -> None:
    first, second = segments(900, 512, 124)
    assert first.weights.argmin() == 511
    assert second.weights.argmin() == 0
    assert first.weights[0] == 1  # the photo's border is no cut


@pytest.mark.parametrize(("length_px", "overlap_px"), [(0, 64), (100, -1), (100, 512)])
def test_impossible_geometry_is_refused(length_px: int, overlap_px: int) -> None:
    with pytest.raises(ValueError, match=f"{length_px} px .* {overlap_px} px"):
        segments(length_px, 512, overlap_px)
