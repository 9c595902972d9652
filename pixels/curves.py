"""Curves applied to a photo at full size: the edit of a pixel is a curve of its own value.

There is one curve for each channel and cell of a coarse grid over the photo, given by its values at a few knots.
Between knots, and between the centres of cells, everything is linear (the bilateral grid of Gharbi et al., "Deep
Bilateral Learning for Real-Time Image Enhancement", 2017, with each channel as its own guide). Texture gets the same
gain as its surroundings, so opened shadows keep their contrast, and there is no seam to blend.

The last knot is what the photo did not record: white. A curve that ran to it by itself would change a highlight's hue
where one channel clips before the others. So each curve goes on straight past the knot before, and what it then lacks
of white is added to all channels alike, as far as the pixel as a whole is near white.
"""

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pixels.grid import between
from pixels.ranges import Floats, Photo, white
from pixels.resampling import share_rows

KNOTS = (0.0, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 0.96, 1.0)
"""Display values at which curves are given: dense in the shadows, which are opened most, and before white."""

BRIGHTEST = 3
"""Weight of a pixel's brightest channel, beside 1 for its darkest, in what tells how near to white it is."""
NEAR_WHITE = 0.8
"""Their mean from which a pixel is lifted towards white."""

STRAIGHT = (KNOTS[-1] - KNOTS[-2]) / (KNOTS[-2] - KNOTS[-3])
"""Length of the last stretch between knots, in lengths of the one before."""

CELLS = 128
"""Rows and columns of the grid: cells per side of a photo, whatever its shape."""


def apply(photo: Photo, curves: Floats, strength: float = 1.0, out: Photo | None = None) -> Photo:
    """Apply curves to a photo, on all cores.

    Args:
        photo: uint8 or uint16 (height, width, 3 or 4), RGB or RGBA, display-encoded; alpha passes unchanged.
        curves: float32 (3 * len(KNOTS), rows, columns), where white is 1; plane ``c * len(KNOTS) + k`` holds channel
            c's value at knot k. May leave the range.
        strength: share of the edit; 0 returns the photo bit for bit, above 1 exaggerates.
        out: the result's memory, contiguous, which may be the photo's own; fresh where not given.

    Returns:
        The shape and type of photo; rounded and saturated.
    """
    photo = photo if photo.flags.c_contiguous else photo.copy()
    result = np.empty_like(photo) if out is None else out
    grid = _lines(curves, strength, white(photo))
    tables = (*_places(white(photo)), _nearness(white(photo)), *_stretches(photo.shape[1], grid.shape[1]))

    def apply_rows(top: int, bottom: int) -> None:
        _apply_rows(photo, grid, *tables, np.float32(white(photo)), result, top, bottom)

    share_rows(len(photo), apply_rows)
    return result


def _lines(curves: Floats, strength: float, peak: int) -> Floats:
    """The curves as lines: (rows, columns, 3 * knots * 2), for every knot its value and the way to the next one.

    In stored values, and with the strength in them. Past the last knot there is no way: its place has the lift.
    """
    knots = np.asarray(KNOTS, np.float32)
    values = curves.transpose(1, 2, 0).reshape(*curves.shape[1:], 3, len(KNOTS)).copy()
    burnt_out = values[..., -1].copy()
    straight = values[..., -2] + np.float32(STRAIGHT) * (values[..., -2] - values[..., -3])
    values[..., -1] = np.minimum(straight, burnt_out)
    lift = peak * np.float32(strength) * (burnt_out - values[..., -1])
    values = peak * (knots + np.float32(strength) * (values - knots))
    slopes = np.concatenate([np.diff(values, axis=-1), lift[..., None]], axis=-1)
    lines: Floats = np.stack([values, slopes], axis=-1, dtype=np.float32).reshape(*curves.shape[1:], -1)
    return lines


@lru_cache(maxsize=2)
def _places(peak: int) -> tuple[NDArray[np.uint8], Floats]:
    """For every stored value the knot at or below it, and how far it is on the way to the next, in [0, 1]."""
    values, knots = np.arange(peak + 1) / peak, np.asarray(KNOTS)
    below = np.searchsorted(knots[1:-1], values, side="right")
    fractions = (values - knots[below]) / np.diff(knots)[below]
    return below.astype(np.uint8), fractions.astype(np.float32)


@lru_cache(maxsize=2)
def _nearness(peak: int) -> Floats:
    """For every sum of a pixel's darkest channel and BRIGHTEST times its brightest, how near to white it is."""
    mean = np.arange((1 + BRIGHTEST) * peak + 1, dtype=np.float32) / ((1 + BRIGHTEST) * peak)
    nearness: Floats = (np.clip((mean - NEAR_WHITE) / (1 - NEAR_WHITE), 0, 1) ** 2).astype(np.float32)
    return nearness


@lru_cache(maxsize=8)
def _stretches(width: int, columns: int) -> tuple[NDArray[np.int64], Floats]:
    """The first pixel of every stretch between centres of cells, and each pixel's place on its stretch, in [0, 1].

    There is one more stretch than columns, and an end: outside the outermost centres, cells do not change.
    """
    places = (np.arange(width, dtype=np.float32) + np.float32(0.5)) * np.float32(columns / width) - np.float32(0.5)
    inside = np.clip(places, 0, columns - 1)
    starts = np.searchsorted(np.floor(places), np.arange(-1, columns + 1))
    return starts.astype(np.int64), (inside - np.floor(inside)).astype(np.float32)


def _signature(pixel: Any) -> Any:  # noqa: ANN401 (Numba's types are of no one class)
    f4, u1, i8 = numba.float32, numba.uint8, numba.int64
    photo = numba.types.Array(pixel, 3, "C", readonly=True)
    return numba.void(photo, f4[:, :, ::1], u1[::1], f4[::1], f4[::1], i8[::1], f4[::1], f4, pixel[:, :, ::1], i8, i8)


@numba.njit([_signature(numba.uint8), _signature(numba.uint16)], nogil=True, fastmath={"contract"})
def _apply_rows(
    photo: Photo,
    grid: Floats,
    knots: NDArray[np.uint8],
    fractions: Floats,
    nearness: Floats,
    starts: NDArray[np.int64],
    shares: Floats,
    peak: np.float32,
    out: Photo,
    top: int,
    bottom: int,
) -> None:
    """Rows [top, bottom). Compiled at import: the lines of one stretch stay in the processor's first cache."""
    height, _, samples = photo.shape
    rows, columns, planes = grid.shape
    per_channel = planes // 6
    half, zero = np.float32(0.5), np.float32(0)
    bright = np.int64(np.float32(NEAR_WHITE) * peak)
    lines = np.empty((columns, planes), np.float32)
    stretch = np.empty((planes // 2, 4), np.float32)  # value and way on the left, and what both gain to the right
    for y in range(top, bottom):
        above, below, share = between((y + 0.5) * rows / height - 0.5, rows - 1.0)
        for column in range(columns):
            for plane in range(planes):
                first = grid[above, column, plane]
                lines[column, plane] = first + share * (grid[below, column, plane] - first)
        for right in range(columns + 1):
            here, there = lines[max(right - 1, 0)], lines[min(right, columns - 1)]
            for line in range(planes // 2):
                for part in range(2):
                    stretch[line, part] = here[2 * line + part]
                    stretch[line, 2 + part] = there[2 * line + part] - here[2 * line + part]
            for x in range(starts[right], starts[right + 1]):
                share = shares[x]
                red, green, blue = np.int64(photo[y, x, 0]), np.int64(photo[y, x, 1]), np.int64(photo[y, x, 2])
                brightest, near = max(red, green, blue), zero
                if brightest > bright:
                    near = nearness[min(red, green, blue) + BRIGHTEST * brightest]
                for channel in range(3):
                    stored = photo[y, x, channel]
                    line, fraction = channel * per_channel + knots[stored], fractions[stored]
                    value = stretch[line, 0] + fraction * stretch[line, 1]
                    value += share * (stretch[line, 2] + fraction * stretch[line, 3])
                    if near > zero:
                        line = (channel + 1) * per_channel - 1
                        value += near * (stretch[line, 1] + share * stretch[line, 3])
                    out[y, x, channel] = np.int32(min(max(value, zero), peak) + half)
                if samples == 4:
                    out[y, x, 3] = photo[y, x, 3]
