"""Pixel ranges: stored integers (8 or 16 bits a sample) to the network's floats and back."""

import numpy as np

from pixels.device import namespace
from pixels.host import Floats, Photo
from pixels.primitives import primitives

__all__ = ["Floats", "Photo", "add_edit", "to_float", "to_interleaved", "to_planar", "white"]


def white(photo: Photo) -> int:
    """Largest value of the photo's sample type: 255 or 65535."""
    return int(np.iinfo(photo.dtype).max)


def to_float(photo: Photo) -> Floats:
    """Any photo or part of one to float32 in [0, 1], same shape."""
    return np.multiply(photo, np.float32(1 / white(photo)), dtype=np.float32)


def to_planar(pixels: Floats) -> Floats:
    """(height, width, 3) to the network's contiguous (3, height, width)."""
    planes: Floats = namespace(pixels).ascontiguousarray(pixels.transpose(2, 0, 1))
    return planes


def to_interleaved(planes: Floats) -> Floats:
    """(3, height, width) to contiguous (height, width, 3)."""
    pixels: Floats = primitives(planes).to_interleaved(planes)
    return pixels


def add_edit(photo: Photo, edit: Floats, out: Photo) -> None:
    """Write ``photo + edit``, rounded and saturated, into out.

    Args:
        photo: (height, width, 3), stored integers.
        edit: float32 of the same shape, in units of white (1.0 lifts black to white).
        out: the same shape and type as photo, contiguous rows; may be photo itself.
    """
    primitives(photo).add_edit(photo, edit, out)
