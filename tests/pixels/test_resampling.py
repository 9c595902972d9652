"""Shrinking keeps what it must: constants, averages, ramps."""

import cv2
import numpy as np
import pytest

from pixels.resampling import share_rows, to_coarse
from tests.photos import photo


@pytest.mark.parametrize("height", [1, 31, 32, 33, 1000])
def test_every_row_is_shared_out_once(height: int) -> None:
    seen = np.zeros(height, int)

    def count(top: int, bottom: int) -> None:
        seen[top:bottom] += 1

    share_rows(height, count)
    assert (seen == 1).all()


def test_an_error_in_a_share_reaches_the_caller() -> None:
    def fail(_top: int, _bottom: int) -> None:
        raise ValueError("share")

    with pytest.raises(ValueError, match="share"):
        share_rows(100, fail)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (100, 700), (512, 512), (1000, 2311)])
def test_constants_stay_constant(height: int, width: int) -> None:
    coarse = to_coarse(np.full((height, width, 3), 51, np.uint8), 512)
    np.testing.assert_allclose(coarse, 0.2, atol=1e-6)


def test_shrinking_keeps_the_average() -> None:
    before = photo(1537, 1024)
    assert to_coarse(before, 512).mean() == pytest.approx(before.mean() / 255, abs=1e-4)


def test_growing_agrees_with_opencv() -> None:
    before = photo(300, 200)
    grown = cv2.resize(before.astype(np.float32) / 255, (512, 512), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(to_coarse(before, 512), grown, atol=1e-5)


def test_sixteen_bits_survive() -> None:
    before = np.linspace(1000, 1100, 512, dtype=np.uint16)[:, None, None].repeat(512, 1).repeat(3, 2)
    assert len(np.unique(to_coarse(before, 512))) > 90
