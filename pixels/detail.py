"""The detail pass: overlapping tiles at full resolution, of whose edits the high frequencies are blended."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import cv2
import numpy as np

from pixels.ranges import Floats, Photo, to_float, to_interleaved, to_planar
from pixels.tiling import Segment, segments

RunTiles: TypeAlias = Callable[[Iterable[Floats], float], Iterator[Floats]]
"""(tiles, exponent) to edited tiles, lazily and in order.

A tile is float32 (3, tile_px, tile_px), RGB planes, range [0, 1]; an edited tile has the same shape and may leave the
range. The exponent is the metering exponent of the whole photo (pixels.metering).
"""


def detail_bands(
    photo: Photo, run_tiles: RunTiles, exponent: float, tile_px: int, overlap_px: int
) -> Iterator[tuple[int, Floats]]:
    """Blend the tiles' details, and yield (top, float32 (rows, width, 3)) from top to bottom as rows are complete.

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
    cuts = (to_planar(_cut(photo, y, x, tile_px)) for y in down for x in across)
    edited = run_tiles(cuts, exponent)
    band = np.zeros((tile_px, width, 3), np.float32)
    for y, below in zip(down, [*down[1:], None], strict=True):
        for x in across:
            edit = to_interleaved(next(edited)) - _cut(photo, y, x, tile_px)
            band[: y.size_px, x.start_px : x.stop_px] += _weighted(high_pass(edit, window), y, x)
        finished = below.start_px - y.start_px if below else y.size_px
        yield y.start_px, band[:finished]
        band[:-finished] = band[finished:].copy()
        band[-finished:] = 0


def _cut(photo: Photo, y: Segment, x: Segment, tile_px: int) -> Floats:
    """One tile as float32 (tile_px, tile_px, 3); mirrored outwards where the photo is smaller than a tile."""
    tile = to_float(photo[y.start_px : y.stop_px, x.start_px : x.stop_px])
    bottom, right = tile_px - y.size_px, tile_px - x.size_px
    if bottom or right:
        return np.asarray(cv2.copyMakeBorder(tile, 0, bottom, 0, right, cv2.BORDER_REFLECT), np.float32)
    return tile


def _weighted(detail: Floats, y: Segment, x: Segment) -> Floats:
    """The part of a tile that lies in the photo, times the tile's share at each pixel."""
    inside = detail[: y.size_px, : x.size_px]
    return inside * y.weights[:, None, None] * x.weights[None, :, None]


def box_px(length_px: int, tile_px: int) -> int:
    """Odd width of the box that one pixel of the coarse pass covers on an axis."""
    return 2 * (max(length_px, tile_px) // (2 * tile_px)) + 1


def high_pass(edit: Floats, window: tuple[int, int]) -> Floats:
    """What the coarse pass cannot carry of an edit, float32 (tile_px, tile_px, 3).

    What it carries is the edit averaged over a coarse pixel (one box) and stretched linearly (a tent, which is two
    boxes): a box three times. Being the same at every pixel, it shows no tile.
    """
    low = edit
    for _ in range(3):
        low = np.asarray(cv2.blur(low, window, borderType=cv2.BORDER_REFLECT), np.float32)
    return edit - low
