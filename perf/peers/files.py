"""Photo files by Pillow, as any script reads and writes them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from perf.peers import QUALITY


def read(file: bytes) -> NDArray[np.uint8]:
    """Pixels of a photo file, upright, uint8 (height, width, 3)."""
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB"))


def write(photo: NDArray[np.uint8]) -> bytes:
    """A JPEG file."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
