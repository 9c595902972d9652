"""Pixel ranges: stored integers (8 or 16 bits a sample) to the network's floats and back."""

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8] | NDArray[np.uint16]
Floats = NDArray[np.float32]


def white(photo: Photo) -> int:
    """Largest value of the photo's sample type: 255 or 65535."""
    return int(np.iinfo(photo.dtype).max)


def to_float(photo: Photo) -> Floats:
    """Any photo or part of one to float32 in [0, 1], same shape."""
    return np.multiply(photo, np.float32(1 / white(photo)), dtype=np.float32)


def to_planar(pixels: Floats) -> Floats:
    """(height, width, 3) to the network's contiguous (3, height, width)."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def to_interleaved(planes: Floats) -> Floats:
    """(3, height, width) to contiguous (height, width, 3)."""
    return np.asarray(cv2.merge(list(planes)), np.float32)


def add_edit(photo: Photo, edit: Floats, out: Photo) -> None:
    """Write ``photo + edit``, rounded and saturated, into out.

    Args:
        photo: (height, width, 3), stored integers.
        edit: float32 of the same shape, in units of white (1.0 lifts black to white).
        out: the same shape and type as photo, contiguous rows; may be photo itself.
    """
    depth = cv2.CV_8U if photo.dtype == np.uint8 else cv2.CV_16U
    cv2.addWeighted(photo, 1.0, edit, float(white(photo)), 0.0, dst=out, dtype=depth)
