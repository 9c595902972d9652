"""Primitives in the host's memory, by OpenCV: vectorised, and without memory of their own where they can."""

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8] | NDArray[np.uint16]
Floats = NDArray[np.float32]


def to_planes(photo: Photo) -> Floats:
    """Stored integers (height, width, 3) to float32 (3, height, width) in [0, 1]; apart first, which is faster."""
    planes = np.empty((3, *photo.shape[:2]), np.float32)
    scale = np.float32(1 / np.iinfo(photo.dtype).max)
    for plane, channel in zip(planes, cv2.split(photo), strict=True):
        np.multiply(channel, scale, out=plane, dtype=np.float32)
    return planes


def to_interleaved(planes: Floats) -> Floats:
    """(3, height, width) to contiguous (height, width, 3)."""
    return np.asarray(cv2.merge(list(planes)), np.float32)


def add_edit(photo: Photo, edit: Floats, out: Photo) -> None:
    """As pixels.ranges.add_edit."""
    depth = cv2.CV_8U if photo.dtype == np.uint8 else cv2.CV_16U
    cv2.addWeighted(photo, 1.0, edit, float(np.iinfo(photo.dtype).max), 0.0, dst=out, dtype=depth)


def accumulate(planes: Floats, share: Floats, target: Floats) -> None:
    """Add planes (3, height, width) times share (height, width) to target, in place."""
    for plane, row in zip(planes, target, strict=True):
        cv2.accumulateProduct(plane, share, row)


def subtract_blurred(planes: Floats, window: tuple[int, int]) -> None:
    """Take a box blur, made three times, off each plane of (3, height, width), in place; window is (width, height)."""
    for plane in planes:
        low = plane
        for _ in range(3):
            low = np.asarray(cv2.blur(low, window, borderType=cv2.BORDER_REFLECT), np.float32)
        plane -= low


def resized(pixels: Floats, width: int, height: int) -> Floats:
    """Change one axis of (height, width, 3), the other keeps its length: by area to shrink, linearly to grow."""
    shrinks = width < pixels.shape[1] or height < pixels.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=interpolation), np.float32)
