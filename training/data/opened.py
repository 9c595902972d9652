"""Crops as an edit opens them: what the refiner learns from.

Photo and clean crop (:mod:`training.data.crops`) are edited with the same curves, those that the generator decides on
for the whole photo. So there is nothing to learn about tone: what differs is noise, blocks and softness.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from training.data.cache import Squares, cached_array, fingerprint
from training.data.crops import CropDataset
from training.data.fusion import Photo
from training.networks.curves import apply_curves
from training.networks.generator import TONE_SCALE, Generator
from training.networks.weights import digest


def cached_crops(views: Sequence[Path], generator: Generator, count: int, side_px: int, folder: Path) -> Squares:
    """Crops at full resolution, the same every time.

    Args:
        views: linear radiance (.hdr) of rendered rooms, at least as large as the crops.
        generator: decides the curves; of TONE_SCALE, as it is served.
        count: number of crops.
        side_px: their side.
        folder: where caches live; a change of any view or of the generator makes a new one.

    Returns:
        uint8 (count, 3, side_px, side_px, 3), memory-mapped, read-only: photo, applied, target.
    """
    if generator.tone_scale != TONE_SCALE:
        raise ValueError(f"a generator of tone_scale {generator.tone_scale} is not what is served: {TONE_SCALE}")
    path = folder / f"{fingerprint(views, count, side_px, digest(generator))}.npy"
    crops = CropDataset(tuple(views), count, side_px, seed=0)
    return cached_array(path, (count, 3, side_px, side_px, 3), lambda: opened(crops, generator))


def opened(crops: CropDataset, generator: Generator) -> Iterator[Photo]:
    """Photo, applied and target of each crop in turn: uint8 (3, side_px, side_px, 3)."""
    generator.eval()
    for index in tqdm(range(len(crops)), unit="crop", desc="crops"):
        photo, clean, coarse, place = (x[None] for x in crops[0, index])
        with torch.inference_mode():
            curves = generator(coarse)
            applied, target = (apply_curves(curves, tile, place) for tile in (photo, clean))
        yield to_photos(torch.cat([photo, applied, target]))


def to_photos(tiles: Tensor) -> Photo:
    """Float [N, 3, H, W] in [0, 1] to uint8 (N, H, W, 3)."""
    return np.ascontiguousarray((tiles.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy())
