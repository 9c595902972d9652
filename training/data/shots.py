"""What the refiner learns from: shots with noise, sharpening and compression, beside the same shots without.

Both photos of a shot are edited with the same curves, those that the generator decides on for the noisy one. So there
is nothing to learn about tone: what differs is noise, blocks and softness, as the edit has opened them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pixels.curves import apply
from training.data.cache import Squares, cached_array, fingerprint
from training.data.fusion import Photo
from training.data.pairs import Pair, PairsError, read_photo
from training.inference import curves_of
from training.networks.generator import Generator
from training.networks.weights import digest

CROPS = 24
"""Cut out of each shot."""


def cached_crops(shots: Sequence[Pair], generator: Generator, side_px: int, folder: Path) -> Squares:
    """Crops at full resolution.

    Args:
        shots: pairs of a noisy photo and a clean one, at least as large as the crops.
        generator: decides the curves.
        side_px: side of the crops.
        folder: where caches live; a change of any photo or of the generator makes a new one.

    Returns:
        uint8 (len(shots) * CROPS, 3, side_px, side_px, 3), memory-mapped, read-only: photo, applied, target.

    Raises:
        PairsError: a photo that does not decode, or is too small.
    """
    path = folder / f"{fingerprint(shots, side_px, digest(generator))}.npy"
    shape = (len(shots) * CROPS, 3, side_px, side_px, 3)
    return cached_array(path, shape, lambda: crops_of_all(shots, generator, side_px))


def crops_of_all(shots: Sequence[Pair], generator: Generator, side_px: int) -> Iterator[Photo]:
    """Crops of every shot in turn, uint8 (CROPS, 3, side_px, side_px, 3)."""
    for number, shot in enumerate(tqdm(shots, unit="shot", desc="crops")):
        photo, clean = read_photo(shot.source), read_photo(shot.target)
        if min(photo.shape[:2]) < side_px:
            raise PairsError(f"{shot.source}: smaller than a crop of {side_px} px; make the shots larger")
        curves = curves_of(photo, generator)
        edited = np.stack([photo, apply(photo, curves), apply(clean, curves)])
        yield random_crops(edited, side_px, np.random.default_rng(number))


def random_crops(photos: Photo, side_px: int, rng: np.random.Generator) -> Photo:
    """CROPS places, cut out of all photos alike: (CROPS, n, side_px, side_px, 3) from (n, height, width, 3)."""
    height, width = photos.shape[1:3]
    places = zip(
        rng.integers(height - side_px + 1, size=CROPS), rng.integers(width - side_px + 1, size=CROPS), strict=True
    )
    return np.stack([photos[:, top : top + side_px, left : left + side_px] for top, left in places])
