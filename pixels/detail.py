"""The detail pass: overlapping tiles at full resolution, of whose edits the high frequencies are blended."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from pixels.device import namespace
from pixels.primitives import primitives
from pixels.ranges import Floats, Photo
from pixels.tiling import Segment, segments

RunTiles: TypeAlias = Callable[[Iterable[Floats], Floats], Iterator[Floats]]
"""(tiles, exponent) to edited tiles, lazily and in order.

A tile is float32 (3, tile_px, tile_px), RGB planes, range [0, 1]; an edited tile has the same shape and may leave the
range. The exponent, float32 (3,), is that of the whole photo (pixels.metering). Once its result is taken, a tile's
memory is used again.
"""


class Detail:
    """The detail pass over one photo: its tiles to the network, and their details blended.

    Args:
        photo: uint8 or uint16 (height, width, 3).
        tile_px: side of the network's tile.
        overlap_px: least overlap of neighbouring tiles.
    """

    def __init__(self, photo: Photo, tile_px: int, overlap_px: int) -> None:
        height, width = photo.shape[:2]
        self._photo = photo
        self._tile_px = tile_px
        self._down, self._across = segments(height, tile_px, overlap_px), segments(width, tile_px, overlap_px)
        self._window = (box_px(width, tile_px), box_px(height, tile_px))
        self._sent: deque[Floats] = deque()

    def cut(self) -> Iterator[Floats]:
        """The tiles, row by row."""
        for y in self._down:
            for x in self._across:
                self._sent.append(_cut(self._photo, y, x, self._tile_px))
                yield self._sent[-1]

    def bands(self, edited: Iterator[Floats]) -> Iterator[tuple[int, Floats]]:
        """Blend the tiles that come back; (top, float32 (3, rows, width)) from top to bottom as rows are complete."""
        band = namespace(self._photo).zeros((3, self._tile_px, self._photo.shape[1]), np.float32)
        for y, below in zip(self._down, [*self._down[1:], None], strict=True):
            for x in self._across:
                result, tile = next(edited), self._sent.popleft()
                edit = np.subtract(result, tile, out=tile)  # fresh memory costs more than the arithmetic
                _blend(high_pass(edit, self._window), y, x, band)
            finished = below.start_px - y.start_px if below else y.size_px
            yield y.start_px, band[:, :finished]
            band[:, :-finished] = band[:, finished:].copy()
            band[:, -finished:] = 0


def _cut(photo: Photo, y: Segment, x: Segment, tile_px: int) -> Floats:
    """One tile as float32 (3, tile_px, tile_px); mirrored outwards where the photo is smaller than a tile."""
    part = photo[y.start_px : y.stop_px, x.start_px : x.stop_px]
    tile: Floats = primitives(part).to_planes(part)
    beyond = [(0, 0), (0, tile_px - y.size_px), (0, tile_px - x.size_px)]
    return namespace(tile).pad(tile, beyond, mode="symmetric") if tile.shape[1:] != (tile_px, tile_px) else tile


def _blend(detail: Floats, y: Segment, x: Segment, band: Floats) -> None:
    """Add the part of a tile that lies in the photo to the band, times the tile's share at each pixel."""
    inside, target = detail[:, : y.size_px, : x.size_px], band[:, : y.size_px, x.start_px : x.stop_px]
    primitives(detail).accumulate(inside, np.outer(y.weights, x.weights), target)


def box_px(length_px: int, tile_px: int) -> int:
    """Odd width of the box that one pixel of the coarse pass covers on an axis."""
    return 2 * (max(length_px, tile_px) // (2 * tile_px)) + 1


def high_pass(edit: Floats, window: tuple[int, int]) -> Floats:
    """What the coarse pass cannot carry of an edit, float32 (3, height, width); changes the edit in place.

    What it carries is the edit averaged over a coarse pixel (one box) and stretched linearly (a tent, which is two
    boxes): a box three times. Being the same at every pixel, it shows no tile.
    """
    primitives(edit).subtract_blurred(edit, window)
    return edit
