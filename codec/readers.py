"""Cleaned photo files to pixels, by the library that reads their kind right. This runs in a worker that may die."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codec.header import Header
from codec.tiff16 import read_tiff16

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Read = Callable[[memoryview, Header], Pixels]

Image.MAX_IMAGE_PIXELS = None  # the header's check has a sentence for photographers


def reader(header: Header, read_jpeg: Read) -> Read:
    """The reader of a kind of file. All return (height, width, channels) as stored; damage raises what it likes.

    | kind | by |
    |---|---|
    | JPEG, grey and RGB | DALI: libjpeg-turbo, or nvJPEG on a GPU |
    | PNG of 16 bits | OpenCV, since Pillow keeps 8 of them |
    | TIFF of 16 bits | our own layout over libtiff's decompression |
    | all else | Pillow |
    """
    if header.format == "jpeg" and header.colors != "cmyk":
        return read_jpeg
    if header.bits == 16:
        return read_png16 if header.format == "png" else read_tiff16
    return read_with_pillow


def read_with_pillow(file: memoryview, header: Header) -> NDArray[np.uint8]:
    """RGB, or RGBA with straight alpha."""
    image = Image.open(io.BytesIO(file), formats=[header.format])
    return np.asarray(image.convert("RGBA" if header.alpha else "RGB"))


def read_png16(file: memoryview, header: Header) -> NDArray[Any]:
    """RGB or RGBA."""
    found = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise ValueError("libpng cannot read it")
    channels = 1 if found.ndim == 2 else found.shape[2]
    to_rgb = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}[channels]
    return cv2.cvtColor(found, to_rgb)
