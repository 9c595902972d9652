"""Batches to validate with: what serving makes of real photos, and extremes."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.compare import Feed
from export.contract import Contract, Tensor
from export.errors import ExportError
from pixels.curves import CELLS, KNOTS
from pixels.edit import enhance
from pixels.ranges import Floats
from pixels.refinement import Tile
from pixels.resampling import to_coarse

SAMPLES = Path("docs/samples")  # photos that ship with the project
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png"}
TILES = 3  # of each photo
OPENING = 0.6  # exponent of the curves that stand in for the generator's

Sample: TypeAlias = tuple[NDArray[Any], ...]
"""One array for each input of the contract, without the batch axis."""


def photo_samples(folder: Path, contract: Contract) -> list[Sample]:
    """What a network gets to see of every photo of a folder, made by the code that serves.

    Args:
        folder: holds JPEG or PNG photos.
        contract: of the generator, which sees photos whole, or of the refiner, which sees tiles.

    Raises:
        ExportError: no photo there.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    if not paths:
        raise ExportError(f"no photo in {folder}: validation needs real photos; name a folder with --photos")
    return [sample for path in paths for sample in _samples(path, contract)]


def _samples(path: Path, contract: Contract) -> list[Sample]:
    with Image.open(path) as image:
        photo = np.asarray(image.convert("RGB"))
    if len(contract.inputs) == 1:
        return [(to_coarse(photo, contract.tile_px),)]
    seen: list[Sample] = []

    def record(tile: Tile, applied: Tile) -> Tile:
        seen.append((tile[: contract.tile_px, : contract.tile_px], applied[: contract.tile_px, : contract.tile_px]))
        return applied

    enhance(photo, opening_curves(), record, tiles_in_flight=1)
    return seen[:: max(len(seen) // TILES, 1)][:TILES]


def opening_curves() -> Floats:
    """Curves that open the shadows of any photo, as an edit of a dark room would."""
    values = np.tile(np.asarray(KNOTS, np.float32) ** np.float32(OPENING), 3)
    return np.tile(values[:, None, None], (1, CELLS, CELLS))


def extreme_samples(contract: Contract) -> list[Sample]:
    """Black, white, noise and a ramp."""
    rng = np.random.default_rng(0)

    def filled(make: Any) -> Sample:  # noqa: ANN401 (a function of a shape, or of nothing)
        return tuple(_stored(make(tensor.shape), tensor) for tensor in contract.inputs)

    ramp = np.linspace(0, 1, contract.tile_px)[:, None]
    return [filled(make) for make in (np.zeros, np.ones, rng.random, lambda shape: np.broadcast_to(ramp, shape))]


def _stored(values: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """Values in [0, 1] as the tensor holds them."""
    return (values * tensor.white).astype(tensor.dtype)


def batches(samples: list[Sample], contract: Contract) -> list[Feed]:
    """Feed every sample once, in batches that cycle through 1, an odd size and the maximum.

    Returns:
        Feed dictionaries by input name, batch axis first. The last one of a size is filled up by cycling.
    """
    sizes = batch_sizes(contract.max_batch)
    feeds: list[Feed] = []
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


def validation_batches(contract: Contract, photos: Path) -> list[Feed]:
    """Extremes, and what serving makes of real photos."""
    return batches([*extreme_samples(contract), *photo_samples(photos, contract)], contract)
