"""What the refiner learns from: crops of rendered rooms at full resolution, as a camera takes them and as they are.

The camera of :mod:`training.data.camera` takes one shot of a view: soft, noisy, sharpened and compressed. The clean
crop is the same shot without any of these. Whoever trains applies the same curves to both; they depend on the whole
photo, which comes along, shrunk.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from training.data.camera import METERING_EV, Shot, random_body, random_shot, shoot
from training.data.dataset import Key, to_tensor
from training.data.fusion import Photo, Radiance, meter
from training.data.radiance import read_radiance

COARSE_PX = 512
CLEAN_SHARE = 0.25
"""Of the shots, that have no defect: the refiner has to leave good photos alone."""
UNCOMPRESSED_SHARE = 0.4
"""Of the others, that are no JPEG, as developed camera files: or no blocks would be taken for no noise."""
NOISE = (0.002, 0.02)
"""Standard deviation at white, linear, of the others."""
BLUR_PX = (0.0, 0.7)
SHRUNK = (0.5, 1.0)
"""Scale of a view before it is cropped; denoised renderings are softer than good lenses."""


@dataclass(frozen=True)
class CropDataset(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Crops of views, reproducible to the bit: they hang on seed, epoch and index alone.

    Args:
        views: linear radiance (.hdr) of rendered rooms; nets see only those meant for training.
        length: crops per epoch.
        crop_px: side of a crop.
        seed: of all random choices.
    """

    views: tuple[Path, ...]
    length: int
    crop_px: int
    seed: int

    def __len__(self) -> int:
        """Crops per epoch."""
        return self.length

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tensors of one random crop of one random view.

        Returns:
            Photo and clean crop, float32 [3, crop_px, crop_px] in [0, 1]; the whole photo, float32
            [3, COARSE_PX, COARSE_PX] in [0, 1]; the crop's place in it, float32 [4]: left, top, right, bottom, in
            [0, 1].
        """
        rng = np.random.default_rng((self.seed, *key))
        view = self.views[int(rng.integers(len(self.views)))]
        photo, clean, coarse, place = crop_pair(view, self.crop_px, random_defects(rng), rng)
        return to_tensor(photo), to_tensor(clean), to_tensor(coarse), torch.from_numpy(place)


def random_defects(rng: np.random.Generator) -> Shot:
    """A shot with the defects that the refiner takes out, or one without any."""
    shot = random_shot(rng.uniform(*METERING_EV), rng)
    if rng.random() < CLEAN_SHARE:
        return replace(shot, noise=0.0, sharpening=0.0, quality=100)
    noise = float(np.exp(rng.uniform(*np.log(NOISE))))
    quality = 100 if rng.random() < UNCOMPRESSED_SHARE else int(rng.integers(60, 99))
    return replace(shot, noise=noise, blur_px=rng.uniform(*BLUR_PX), quality=quality)


def crop_pair(
    view: Path, crop_px: int, shot: Shot, rng: np.random.Generator
) -> tuple[Photo, Photo, Photo, NDArray[np.float32]]:
    """One crop as a camera takes it and as it is.

    Args:
        view: radiance (.hdr), at least crop_px high and wide.
        crop_px: side of the crop.
        shot: exposure, white balance and defects.
        rng: body, scale, place and noise.

    Returns:
        uint8 (crop_px, crop_px, 3): photo and clean crop; uint8 (COARSE_PX, COARSE_PX, 3): the whole photo, squashed;
        float32 (4,): left, top, right and bottom of the crop as shares of the photo's width and height.
    """
    scene, whole = load_view(view)
    rows, columns = scene.shape[:2]
    scale = max(rng.uniform(*SHRUNK), crop_px / min(rows, columns))
    side = min(round(crop_px / scale), rows, columns)
    left, top = int(rng.integers(columns - side + 1)), int(rng.integers(rows - side + 1))
    light = scene[top : top + side, left : left + side]
    if side != crop_px:
        light = np.asarray(cv2.resize(light, (crop_px, crop_px), interpolation=cv2.INTER_AREA), np.float32)
    body = replace(random_body(rng), vignetting=0.0)
    faultless = replace(shot, noise=0.0, blur_px=0.0, sharpening=0.0, quality=100)
    place = np.array([left / columns, top / rows, (left + side) / columns, (top + side) / rows], np.float32)
    return shoot(light, body, shot, rng), shoot(light, body, faultless, rng), shoot(whole, body, faultless, rng), place


@lru_cache(maxsize=24)
def load_view(path: Path) -> tuple[Radiance, Radiance]:
    """A view, metered, and the same squashed to COARSE_PX; each process reads each once."""
    scene = meter(read_radiance(path))
    return scene, np.asarray(cv2.resize(scene, (COARSE_PX, COARSE_PX), interpolation=cv2.INTER_AREA), np.float32)
