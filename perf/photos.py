"""Photos to measure with: the project's own samples at a camera's sizes."""

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from files.checkout import ROOT
from pixels.light import GAMMA

SAMPLES = tuple(ROOT / "docs/samples" / name for name in ("kitchen.jpg", "bedroom.jpg", "bathroom.jpg"))
QUALITY = 92


@cache
def photo_file(width: int, height: int, sample: Path = SAMPLES[0], ev: float = 0.0) -> bytes:
    """A JPEG of a sample photo, enlarged, exposed and with a camera's grain, so that it is as large as a camera's."""
    enlarged = np.asarray(Image.open(sample).resize((width, height), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 1)).astype(np.float32)
    exposed = np.clip(enlarged * np.float32(2 ** (ev / GAMMA)) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(exposed).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
