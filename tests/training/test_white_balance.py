"""The white-balance study measures what it says."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from pixels.ranges import Floats
from tests.photos import photo
from training.white_balance import CASTS, remaining_cast


def as_it_is(tiles: Iterable[Floats], _exponent: Floats) -> Iterator[Floats]:
    return iter(tiles)


def without_colour(tiles: Iterable[Floats], _exponent: Floats) -> Iterator[Floats]:
    return (np.broadcast_to(tile[1:2] ** 0, tile.shape).copy() for tile in tiles)


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_ends_of_the_scale(cast: tuple[float, float, float]) -> None:
    room = np.asarray(photo(200, 150) // 2 + 40, np.uint8)
    kept = remaining_cast(room, cast, as_it_is)
    assert (kept.of_the_way, kept.of_the_cast) == (pytest.approx(1), pytest.approx(1))
    assert remaining_cast(room, cast, without_colour).of_the_cast < 0.02
