"""The refiner over a whole photo: overlapping tiles at full resolution, each cropped where it has a neighbour."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.ranges import STEPS_16_IN_8, Photo, to_8_bits
from pixels.tiling import TILE_PX, Segment, segments

Tile: TypeAlias = NDArray[np.uint8]
RefineTile: TypeAlias = Callable[[Tile, Tile], Tile]
"""(photo, applied) to refined: a tile of the photo, and the same tile with its curves applied; uint8 (512, 512, 3)."""

Place: TypeAlias = tuple[Segment, Segment]


def refine(photo: Photo, applied: Photo, refine_tile: RefineTile, *, strength: float, tiles_in_flight: int) -> None:
    """Refine an edited photo in place.

    A photo of 16 bits a sample keeps them: its tiles are rounded to 8 bits, and what the network changes of them is
    added.

    Args:
        photo: uint8 or uint16 (height, width, 3 or 4), before the edit.
        applied: the same shape and type, after it; alpha stays as it is.
        refine_tile: the network; called from several threads.
        strength: share of what the network changes, in [0, 1].
        tiles_in_flight: tiles that the network has at once.

    Raises:
        Whatever refine_tile raises; then no call of it is still running, and applied is refined in part.
    """
    down, across = segments(photo.shape[0]), segments(photo.shape[1])
    behind = len(across) + 1  # so many tiles later all have been cut that see what a tile keeps
    waiting: deque[tuple[Place, Future[Tile]]] = deque()
    network = ThreadPoolExecutor(tiles_in_flight)
    try:
        for place in _places(down, across):
            tiles = (_cut(whole, *place) for whole in (photo, applied))
            waiting.append((place, network.submit(refine_tile, *tiles)))
            if len(waiting) > behind:
                _keep(*waiting.popleft(), strength, applied)
        while waiting:
            _keep(*waiting.popleft(), strength, applied)
    finally:
        network.shutdown(cancel_futures=True)


def _places(down: list[Segment], across: list[Segment]) -> Iterator[Place]:
    return ((y, x) for y in down for x in across)


def _cut(photo: Photo, y: Segment, x: Segment) -> Tile:
    """One tile, uint8 (512, 512, 3); mirrored outwards where the photo ends before the tile does."""
    tile = to_8_bits(photo[y.seen, x.seen, :3])
    beyond = [(0, TILE_PX - len(tile)), (0, TILE_PX - tile.shape[1]), (0, 0)]
    return np.ascontiguousarray(np.pad(tile, beyond, mode="symmetric") if np.any(beyond) else tile)


def _keep(place: Place, refined: Future[Tile], strength: float, applied: Photo) -> None:
    """Put what the network says into the photo, in the part of the tile that is kept."""
    y, x = place
    target, result = applied[y.kept, x.kept, :3], refined.result()[y.kept_of_tile, x.kept_of_tile]
    if applied.dtype == np.uint8:
        target[...] = result if strength == 1 else cv2.addWeighted(target, 1 - strength, result, strength, 0.0)
    else:
        change = cv2.subtract(result, to_8_bits(target), dtype=cv2.CV_16S)
        target[...] = cv2.addWeighted(target, 1.0, change, strength * STEPS_16_IN_8, 0.0, dtype=cv2.CV_16U)
