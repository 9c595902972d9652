"""Tiling geometry on one axis: where tiles start, and how much each counts at every pixel.

A photo's tiles are the product of the segments of its two axes, and so are their weights.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Segment:
    """A tile's place on one axis.

    Attributes:
        start_px: first pixel.
        size_px: pixels of the photo in it; smaller than a tile only where the whole axis is.
        weights: float32 (size_px,), above 0. At each pixel the weights of all segments over it add up to 1.
    """

    start_px: int
    size_px: int
    weights: NDArray[np.float32]

    @property
    def stop_px(self) -> int:
        """One past the last pixel."""
        return self.start_px + self.size_px


def segments(length_px: int, tile_px: int, overlap_px: int) -> list[Segment]:
    """Cover an axis with as few segments as the overlap allows, spread evenly, in ascending order.

    The first starts at 0, the last ends at length_px, and neighbours share at least overlap_px.

    Args:
        length_px: length of the axis, at least 1.
        tile_px: length of a tile.
        overlap_px: least overlap of neighbours, in [0, tile_px).

    Raises:
        ValueError: a length below 1, or an overlap outside [0, tile_px).
    """
    if length_px < 1 or not 0 <= overlap_px < tile_px:
        raise ValueError(f"cannot cover {length_px} px with tiles of {tile_px} px that overlap by {overlap_px} px")
    size = min(tile_px, length_px)
    count = 1 + max(0, math.ceil((length_px - tile_px) / (tile_px - overlap_px)))
    starts = np.rint(np.linspace(0, length_px - size, count)).astype(int).tolist()
    shares = [_ramps(size, overlap_px, at_start=start == 0, at_end=start + size == length_px) for start in starts]
    total = np.zeros(length_px)
    for start, share in zip(starts, shares, strict=True):
        total[start : start + size] += share
    return [
        Segment(start, size, (share / total[start : start + size]).astype(np.float32))
        for start, share in zip(starts, shares, strict=True)
    ]


def _ramps(size: int, overlap: int, *, at_start: bool, at_end: bool) -> NDArray[np.float64]:
    """Raised-cosine ramps at the ends that have a neighbour: pixels next to a cut have seen the least surroundings."""
    share = np.ones(size)
    ramp = np.sin(np.pi / 2 * (np.arange(min(overlap, size)) + 0.5) / max(overlap, 1)) ** 2
    if not at_start:
        share[: ramp.size] = ramp
    if not at_end:
        share[size - ramp.size :] = np.minimum(share[size - ramp.size :], ramp[::-1])
    return share
