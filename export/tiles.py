"""Batches to validate with: tiles of real photos, as the two passes of serving cut them, and extremes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from export.contract import Contract
from export.errors import ExportError
from pixels.edit import enhance
from pixels.metering import EXPONENT_RANGE
from pixels.ranges import Floats

SAMPLES = Path("docs/samples")  # photos that ship with the project
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png"}
DETAIL_TILES = 3  # of each photo
Sample = tuple[Floats, Floats]  # tile (3, tile, tile) in [0, 1]; exponent (3,)


def photo_samples(folder: Path, tile_px: int) -> list[Sample]:
    """Cut every photo of a folder with the code that serves: the coarse tile, and a few of the detail tiles.

    Args:
        folder: holds JPEG or PNG photos.
        tile_px: edge of the square tile in pixels.

    Raises:
        ExportError: no photo there.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    if not paths:
        raise ExportError(f"no photo in {folder}: validation needs real tiles; name a folder with --photos")
    return [sample for path in paths for sample in _cut(path, tile_px)]


def _cut(path: Path, tile_px: int) -> list[Sample]:
    """The coarse tile and an even choice of DETAIL_TILES others."""
    served: list[Sample] = []

    def record(tiles: Iterable[Floats], exponent: Floats) -> Iterator[Floats]:
        for tile in tiles:
            served.append((tile.copy(), exponent))  # its memory is used again
            yield tile

    with Image.open(path) as image:
        enhance(np.asarray(image.convert("RGB")), record, tile_px=tile_px, overlap_px=tile_px // 8)
    coarse, detail = served[:1], served[1:]
    return coarse + detail[:: max(len(detail) // DETAIL_TILES, 1)][:DETAIL_TILES]


def extreme_samples(tile_px: int) -> list[Sample]:
    """Black, white, noise and a ramp, each at the ends of the metering range."""
    shape = (3, tile_px, tile_px)
    ramp = np.broadcast_to(np.linspace(0, 1, tile_px, dtype=np.float32), shape)
    noise = np.random.default_rng(0).random(shape, np.float32)
    tiles = [np.zeros(shape, np.float32), np.ones(shape, np.float32), noise, ramp]
    return [(tile, np.full(3, exponent, np.float32)) for tile in tiles for exponent in EXPONENT_RANGE]


def batches(samples: list[Sample], contract: Contract) -> list[dict[str, Floats]]:
    """Feed every sample once, in batches that cycle through 1, an odd size and the maximum.

    Returns:
        Feed dictionaries by input name, float32, batch axis first. The last one of a size is filled up by cycling.
    """
    sizes = batch_sizes(contract.max_batch)
    feeds: list[dict[str, Floats]] = []
    position = 0
    while position < len(samples) or len(feeds) < len(sizes):
        size = sizes[len(feeds) % len(sizes)]
        chosen = [samples[index % len(samples)] for index in range(position, position + size)]
        arrays = (np.ascontiguousarray(np.stack(part)) for part in zip(*chosen, strict=True))
        feeds.append({tensor.name: array for tensor, array in zip(contract.inputs, arrays, strict=True)})
        position += size
    return feeds


def batch_sizes(max_batch: int) -> list[int]:
    """One, an odd number in between, and the maximum."""
    odd = max(max_batch - 1 - max_batch % 2, 1)
    return sorted({1, min(3, odd), max_batch})


def validation_batches(contract: Contract, photos: Path) -> list[dict[str, Floats]]:
    """Extremes, and tiles of real photos."""
    return batches([*extreme_samples(contract.tile_px), *photo_samples(photos, contract.tile_px)], contract)
