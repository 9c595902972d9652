"""Resampling between a photo and one coarse tile: the whole photo shrunk to a square, its edit stretched back.

The tile is square and the photo is not: each axis has a scale of its own. Pixel centres sit at half-integers, as
everywhere in OpenCV.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pixels.device import namespace
from pixels.primitives import primitives
from pixels.ranges import Floats, Photo, to_float

STRIP_PX = 32  # rows worked on at once: a strip of a wide photo stays in the processor's cache


def to_coarse(photo: Photo, tile_px: int) -> Floats:
    """Shrink (or, where an axis is shorter than the tile, stretch) a whole photo to one tile.

    Args:
        photo: uint8 or uint16 (height, width, 3).
        tile_px: side of the tile.

    Returns:
        float32 (tile_px, tile_px, 3), range [0, 1]; averaged in floats, so that gradients stay smooth.
    """
    height = photo.shape[0]
    narrow: Floats = namespace(photo).empty((height, tile_px, 3), np.float32)

    def shrink(top: int, bottom: int) -> None:
        for rows in strips(top, bottom):
            strip = to_float(photo[rows])
            narrow[rows] = primitives(strip).resized(strip, tile_px, len(strip))

    share_rows(height, shrink)
    coarse: Floats = primitives(narrow).resized(narrow, tile_px, tile_px)
    return coarse


def strips(top: int, bottom: int) -> Iterator[slice]:
    """Rows [top, bottom) in strips of at most STRIP_PX."""
    for start in range(top, bottom, STRIP_PX):
        yield slice(start, min(start + STRIP_PX, bottom))


def share_rows(height: int, work: Callable[[int, int], None]) -> None:
    """Call work(top, bottom) for every row once, the rows shared out among the processor's cores."""
    share = -(-height // (os.cpu_count() or 1))
    tops = range(0, height, max(share, STRIP_PX))
    with ThreadPoolExecutor(len(tops)) as workers:
        list(workers.map(work, tops, [*tops[1:], height]))


class Upsampled:
    """A coarse edit at the photo's size, made strip by strip: the whole would be four times the photo in memory.

    Args:
        coarse: float32 (rows, columns, 3).
        height: rows of the photo.
        width: columns of the photo.
    """

    def __init__(self, coarse: Floats, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self._xp = namespace(coarse)
        self._wide = primitives(coarse).resized(coarse, width, coarse.shape[0]).reshape(coarse.shape[0], -1)

    def strips(self, top: int, bottom: int) -> Iterator[tuple[slice, Floats]]:
        """Rows [top, bottom), strip by strip: the rows and float32 (rows, width, 3), valid until the next strip."""
        memory = self._xp.empty((STRIP_PX, self.width * 3), np.float32)  # fresh memory costs more than the arithmetic
        for rows in strips(top, bottom):
            weights, first, last = _interpolation(len(self._wide), self.height, rows.start, rows.stop)
            strip = self._xp.matmul(
                self._xp.asarray(weights), self._wide[first : last + 1], out=memory[: rows.stop - rows.start]
            )
            yield rows, strip.reshape(len(strip), self.width, 3)


def _interpolation(coarse_px: int, length_px: int, top: int, bottom: int) -> tuple[Floats, int, int]:
    """Interpolation weights of rows [top, bottom) over the coarse rows [first, last] that they lie between.

    A growing axis is interpolated linearly; a shrinking one takes the area under each pixel. Both are one kernel: a
    tent as wide as the coarser of the two grids.
    """
    scale = coarse_px / length_px
    reach = max(scale, 1.0)
    centres = (np.arange(top, bottom) + 0.5) * scale - 0.5
    first = max(0, int(np.floor(centres[0] - reach)))
    last = min(coarse_px - 1, int(np.ceil(centres[-1] + reach)))
    distance = np.abs(np.clip(centres, 0, coarse_px - 1)[:, None] - np.arange(first, last + 1))
    tent: NDArray[np.float64] = np.maximum(0.0, 1.0 - distance / reach)
    return (tent / tent.sum(1, keepdims=True)).astype(np.float32), first, last
