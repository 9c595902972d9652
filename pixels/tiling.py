"""Tiling geometry on one axis: where tiles start, and which part of each is kept.

A photo's tiles are the product of the segments of its two axes. A network with a small receptive field gives, at every
pixel that is at least that field away from a cut, what it would give for the whole photo; so each tile is cropped by a
margin wherever it has a neighbour, and the photo's own borders are borders of tiles.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

TILE_PX = 512
"""Side of a tile: one size for all photos, so that tiles of different photos share a batch."""

MARGIN_PX = 16
"""What is cropped of a tile at a cut: at least the refiner's receptive field, to either side."""

PHASE_PX = 2
"""Tiles start at multiples of this: the refiner works on blocks of 2 x 2 pixels."""


@dataclass(frozen=True)
class Segment:
    """A tile's place on one axis.

    Attributes:
        start_px: first pixel that the tile sees.
        stop_px: one past the last; the photo ends there where that is less than a tile away.
        kept_start_px: first pixel that is kept of the tile's result.
        kept_stop_px: one past the last.
    """

    start_px: int
    stop_px: int
    kept_start_px: int
    kept_stop_px: int

    @property
    def seen(self) -> slice:
        """What the tile sees of the axis."""
        return slice(self.start_px, self.stop_px)

    @property
    def kept(self) -> slice:
        """What is kept of the result, on the axis."""
        return slice(self.kept_start_px, self.kept_stop_px)

    @property
    def kept_of_tile(self) -> slice:
        """What is kept of the result, counted from the tile's first pixel."""
        return slice(self.kept_start_px - self.start_px, self.kept_stop_px - self.start_px)


def segments(
    length_px: int, tile_px: int = TILE_PX, margin_px: int = MARGIN_PX, phase_px: int = PHASE_PX
) -> list[Segment]:
    """Cover an axis with as few segments as the margin allows, spread evenly, in ascending order.

    Every pixel is kept by one segment; at least margin_px lie between a kept pixel and a cut. What one segment keeps is
    seen by its two neighbours at most, never by one farther off.

    Args:
        length_px: length of the axis, at least 1.
        tile_px: length of a tile.
        margin_px: what is cropped at a cut; with a phase at most a quarter of a tile.
        phase_px: starts are multiples of this.

    Raises:
        ValueError: an argument outside its range.
    """
    if length_px < 1 or margin_px < 0 or 4 * (margin_px + phase_px) > tile_px:
        raise ValueError(
            f"cannot cover {length_px} px with tiles of {tile_px} px that are cropped by {margin_px} px and start at "
            f"multiples of {phase_px} px"
        )
    last = math.ceil(max(0, length_px - tile_px) / phase_px)  # start of the last one, in phases
    steps = math.ceil(last / ((tile_px - 2 * margin_px) // phase_px))
    starts = [phase_px * (last * step // max(steps, 1)) for step in range(steps + 1)]
    borders = [0, *(start + margin_px for start in starts[1:]), length_px]
    return [
        Segment(start, min(start + tile_px, length_px), *kept)
        for start, kept in zip(starts, pairwise(borders), strict=True)
    ]
