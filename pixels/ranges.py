"""Pixel ranges: what a stored integer (8 or 16 bits a sample) is worth, and how one becomes the other."""

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8] | NDArray[np.uint16]
Floats = NDArray[np.float32]

STEPS_16_IN_8 = 257  # 65535 / 255: an 8-bit step in 16-bit steps


def white(photo: Photo) -> int:
    """Largest value of the photo's sample type: 255 or 65535."""
    return int(np.iinfo(photo.dtype).max)


def to_float(photo: Photo) -> Floats:
    """Any photo or part of one to float32 in [0, 1], same shape."""
    return np.multiply(photo, np.float32(1 / white(photo)), dtype=np.float32)


def to_8_bits(photo: Photo) -> NDArray[np.uint8]:
    """A photo rounded to 8 bits a sample, same shape; one that has no more is returned itself."""
    if photo.dtype == np.uint8:
        return np.asarray(photo, np.uint8)
    return np.asarray(cv2.convertScaleAbs(photo, alpha=1 / STEPS_16_IN_8), np.uint8)
