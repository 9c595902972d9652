"""A whole photo shrunk to one tile, and work on a photo's rows shared out among the processor's cores."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from pixels.ranges import Floats, Photo, to_float

STRIP_PX = 32  # rows worked on at once: a strip of a wide photo stays in the processor's cache


def to_coarse(photo: Photo, tile_px: int) -> Floats:
    """Shrink (or, where an axis is shorter than the tile, stretch) a whole photo to one tile.

    The tile is square and the photo is not: each axis has a scale of its own. Pixel centres sit at half-integers.

    Args:
        photo: uint8 or uint16 (height, width, 3).
        tile_px: side of the tile.

    Returns:
        float32 (tile_px, tile_px, 3), range [0, 1]; averaged in floats, so that gradients stay smooth.
    """
    height = photo.shape[0]
    narrow = np.empty((height, tile_px, 3), np.float32)

    def shrink(top: int, bottom: int) -> None:
        for rows in strips(top, bottom):
            strip = to_float(photo[rows])
            narrow[rows] = _resized(strip, tile_px, len(strip))

    share_rows(height, shrink)
    return _resized(narrow, tile_px, tile_px)


def _resized(pixels: Floats, width: int, height: int) -> Floats:
    """Change one axis of (height, width, 3), the other keeps its length: by area to shrink, linearly to grow."""
    shrinks = width < pixels.shape[1] or height < pixels.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=interpolation), np.float32)


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
