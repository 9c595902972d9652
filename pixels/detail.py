"""The detail pass: overlapping tiles at full resolution, of whose edits the high frequencies are blended."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import cv2
import numpy as np

from pixels.ranges import Floats, Photo, to_float, to_planar
from pixels.tiling import Segment, segments

RunTiles: TypeAlias = Callable[[Iterable[Floats], float], Iterator[Floats]]
"""(tiles, exponent) to edited tiles, lazily and in order.

A tile is float32 (3, tile_px, tile_px), RGB planes, range [0, 1]; an edited tile has the same shape and may leave the
range. The exponent is the metering exponent of the whole photo (pixels.metering). Once its result is taken, a tile's
memory is used again.
"""


def detail_bands(
    photo: Photo, run_tiles: RunTiles, exponent: float, tile_px: int, overlap_px: int
) -> Iterator[tuple[int, Floats]]:
    """Blend the tiles' details, and yield (top, float32 (3, rows, width)) from top to bottom as rows are complete.

    Args:
        photo: uint8 or uint16 (height, width, 3).
        run_tiles: the network.
        exponent: metering exponent of the whole photo.
        tile_px: side of the network's tile.
        overlap_px: least overlap of neighbouring tiles.
    """
    height, width = photo.shape[:2]
    down, across = segments(height, tile_px, overlap_px), segments(width, tile_px, overlap_px)
    window = (box_px(width, tile_px), box_px(height, tile_px))
    sent: deque[Floats] = deque()

    def tiles() -> Iterator[Floats]:
        for y in down:
            for x in across:
                sent.append(_cut(photo, y, x, tile_px))
                yield sent[-1]

    edited = run_tiles(tiles(), exponent)
    band = np.zeros((3, tile_px, width), np.float32)
    for y, below in zip(down, [*down[1:], None], strict=True):
        for x in across:
            result, tile = next(edited), sent.popleft()
            edit = np.subtract(result, tile, out=tile)  # fresh memory costs more than the arithmetic
            _blend(high_pass(edit, window), y, x, band)
        finished = below.start_px - y.start_px if below else y.size_px
        yield y.start_px, band[:, :finished]
        band[:, :-finished] = band[:, finished:].copy()
        band[:, -finished:] = 0


def _cut(photo: Photo, y: Segment, x: Segment, tile_px: int) -> Floats:
    """One tile as float32 (3, tile_px, tile_px); mirrored outwards where the photo is smaller than a tile."""
    tile = to_float(photo[y.start_px : y.stop_px, x.start_px : x.stop_px])
    bottom, right = tile_px - y.size_px, tile_px - x.size_px
    if bottom or right:
        tile = np.asarray(cv2.copyMakeBorder(tile, 0, bottom, 0, right, cv2.BORDER_REFLECT), np.float32)
    return to_planar(tile)


def _blend(detail: Floats, y: Segment, x: Segment, band: Floats) -> None:
    """Add the part of a tile that lies in the photo to the band, times the tile's share at each pixel."""
    share = np.outer(y.weights, x.weights)
    for plane, target in zip(detail, band, strict=True):
        inside = plane[: y.size_px, : x.size_px]
        cv2.accumulateProduct(inside, share, target[: y.size_px, x.start_px : x.stop_px])


def box_px(length_px: int, tile_px: int) -> int:
    """Odd width of the box that one pixel of the coarse pass covers on an axis."""
    return 2 * (max(length_px, tile_px) // (2 * tile_px)) + 1


def high_pass(edit: Floats, window: tuple[int, int]) -> Floats:
    """What the coarse pass cannot carry of an edit, float32 (3, height, width); changes the edit in place.

    What it carries is the edit averaged over a coarse pixel (one box) and stretched linearly (a tent, which is two
    boxes): a box three times. Being the same at every pixel, it shows no tile.
    """
    for plane in edit:
        low = plane
        for _ in range(3):
            low = np.asarray(cv2.blur(low, window, borderType=cv2.BORDER_REFLECT), np.float32)
        plane -= low
    return edit
