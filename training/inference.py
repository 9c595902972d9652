"""The networks as serving runs them: a photo in, the edited photo out."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from pixels.curves import apply
from pixels.resampling import to_coarse
from training.networks.generator import TONE_SCALE, Generator
from training.networks.refiner import FOLD, Refiner

COARSE_PX = 512  # side of the tile that serving shrinks a photo to, for a generator of TONE_SCALE
Photo: TypeAlias = NDArray[np.uint8]
Edit: TypeAlias = Callable[[Photo], Photo]


def editor(generator: Generator, refiner: Refiner | None = None) -> Edit:
    """The callable that edits uint8 (height, width, 3) photos: mode `full`, or `fast` without a refiner."""
    generator.eval()

    def edit(photo: Photo) -> Photo:
        applied = np.asarray(apply(photo, curves_of(photo, generator)), np.uint8)
        return applied if refiner is None else refined(photo, applied, refiner.eval())

    return edit


@torch.inference_mode()
def curves_of(photo: Photo, generator: Generator) -> NDArray[np.float32]:
    """The edit of a photo: float32 (3 * len(KNOTS), rows, columns)."""
    coarse = to_coarse(photo, COARSE_PX * generator.tone_scale // TONE_SCALE)
    planes = torch.from_numpy(coarse).permute(2, 0, 1)[None]
    return np.ascontiguousarray(generator(planes)[0].numpy())


@torch.inference_mode()
def refined(photo: Photo, applied: Photo, refiner: Refiner) -> Photo:
    """The applied photo after the refiner, as one tile: the same as in tiles."""
    height, width = photo.shape[:2]
    missing = (0, -width % FOLD, 0, -height % FOLD)
    tiles = (torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255 for pixels in (photo, applied))
    result = refiner(*(F.pad(tile, missing, mode="replicate") for tile in tiles))[0, :, :height, :width]
    return np.ascontiguousarray((result.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())
