"""The white-balance study measures what it says."""

import numpy as np
import pytest

from tests.photos import photo
from training.white_balance import CASTS, Photo, remaining_cast


def as_it_is(photo: Photo) -> Photo:
    return photo


def without_colour(photo: Photo) -> Photo:
    return np.full_like(photo, 255)


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_ends_of_the_scale(cast: tuple[float, float, float]) -> None:
    room = np.asarray(photo(200, 150) // 2 + 40, np.uint8)
    kept = remaining_cast(room, cast, as_it_is)
    assert (kept.of_the_way, kept.of_the_cast) == (pytest.approx(1), pytest.approx(1))
    assert remaining_cast(room, cast, without_colour).of_the_cast < 0.02
