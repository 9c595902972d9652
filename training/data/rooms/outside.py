"""What windows look out on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixels.light import LUMINANCE
from training.data.fusion import Radiance
from training.data.pairs import PairsError
from training.data.panoramas import read_panorama
from training.data.simulation import VALIDATION_PANORAMAS, load_panorama

BLUE_SKY = 1.4
"""Blue over red in the upper quarter of a panorama, from which it counts as outdoors."""


def outdoor_panoramas(folder: Path) -> tuple[Path, ...]:
    """Those of a folder that show a blue sky, without the ones held out for validation; all, where none does.

    Raises:
        PairsError: no panoramas in the folder.
    """
    paths = [path for path in sorted(folder.glob("*.hdr")) if not path.name.startswith(VALIDATION_PANORAMAS)]
    if not paths:
        raise PairsError(f"{folder}: no panoramas (.hdr); get some from polyhaven.com/hdris, or leave --panoramas out")
    return tuple(path for path in paths if is_outdoors(read_panorama(path))) or tuple(paths)


def is_outdoors(panorama: Radiance) -> bool:
    """Whether the upper quarter is blue."""
    upper = panorama[: len(panorama) // 4]
    return float(np.median(upper[..., 2] / (upper[..., 0] + 1e-6))) > BLUE_SKY


def outside(panoramas: Sequence[Path], night: bool, rng: np.random.Generator) -> Radiance:
    """What windows look out on: a panorama or a plain sky, turned and exposed at random."""
    sky = load_panorama(panoramas[int(rng.integers(len(panoramas)))]) if panoramas else plain_sky(rng)
    level = np.exp(rng.uniform(np.log(0.7), np.log(10)))
    mean = float(np.exp(np.log(np.maximum(sky @ LUMINANCE, 1e-4)).mean()))
    return np.roll(sky, int(rng.integers(sky.shape[1])), axis=1) * np.float32((0.01 if night else level) / mean)


def plain_sky(rng: np.random.Generator) -> Radiance:
    """A gradient over a dull ground, with a sun."""
    height = np.sin(np.pi * (0.5 - (np.arange(64) + 0.5) / 64))[:, None, None] * np.ones((64, 128, 1))
    blue = np.array([0.9, 1.0, 1.15]) * (1 - 0.5 * np.clip(height, 0, 1) * np.array([1, 0.6, 0.1]))
    panorama = np.where(height > 0, blue, rng.uniform(0.1, 0.3) * np.array([0.9, 1.0, 0.7]))
    panorama[int(rng.integers(8, 26)), 64] += rng.choice([0.0, 2e4]) * np.array([1.1, 1.0, 0.85])
    return panorama.astype(np.float32)
