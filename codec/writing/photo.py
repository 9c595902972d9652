"""Photo files from pixels: one writer for each format, and every file read back before it is returned."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from codec.errors import RequestError
from codec.header import UPRIGHT, Header
from codec.metadata.carried import Carried
from codec.reading import read_header
from codec.writing.jpeg import write_jpeg
from codec.writing.png import write_png
from codec.writing.tiff import write_tiff
from codec.writing.webp import write_webp

MAX_SIDE_PX = {"jpeg": 65_500, "webp": 16_383, "png": 1_000_000, "tiff": 1 << 24}
"""What the formats hold, their libraries write and our parsers read back."""


class BrokenResultError(Exception):
    """A file that does not hold what was written into it: a fault of the server, never an answer."""


def check_belongs(shape: tuple[int, ...], source: Header) -> None:
    """Check that a tensor of pixels is as large and as deep as the decoded photo, or as the merged frames of its scene.

    Args:
        shape: (height, width, bytes of a pixel).
        source: header of the photo's file.

    Raises:
        RequestError: it is not.
    """
    height_px, width_px, samples = source.upright_shape
    expected = (height_px, width_px, samples * source.bits // 8)
    merged = (height_px, width_px, 6)  # always 16 bits, without transparency
    if tuple(shape) not in (expected, merged):
        raise RequestError(
            f"ENHANCED_PIXELS has the shape {list(shape)} and IMAGE makes {list(expected)}; "
            "send the pixels of this photo, or ask the model enhance"
        )


def write_photo(photo: NDArray[Any], kind: str, quality: int, metadata: Carried) -> bytes:
    """Write a photo file, and read it back.

    Args:
        photo: uint8 or uint16 (height, width, 3 or 4), RGB or RGBA with unassociated alpha. 16 bits are kept in PNG and
            TIFF and rounded to 8 elsewhere; JPEG has no transparency.
        kind: "jpeg", "png", "tiff" or "webp".
        quality: 1 to 100, for JPEG and WebP.
        metadata: what goes with it.

    Raises:
        RequestError: the format cannot hold a photo of this size.
        BrokenResultError: the file that was written is not right.
    """
    height_px, width_px, _ = photo.shape
    _check_size(width_px, height_px, kind)
    if kind in ("jpeg", "webp"):
        photo = eight_bits(photo)
    if kind == "jpeg" or (kind == "webp" and opaque(photo)):
        photo = photo[..., :3]
    file = _write(photo, kind, quality, metadata)
    _read_back(file, kind, photo)
    return file


def eight_bits(photo: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples rounded to 8 bits, 65535 to 255."""
    return photo if photo.dtype == np.uint8 else np.asarray(cv2.convertScaleAbs(photo, alpha=1 / 257))


def opaque(photo: NDArray[Any]) -> bool:
    """Whether nothing is transparent; libwebp then leaves transparency out by itself."""
    return photo.shape[2] == 3 or bool(photo[..., 3].min() == np.iinfo(photo.dtype).max)


def _check_size(width_px: int, height_px: int, kind: str) -> None:
    side_px = max(width_px, height_px)
    if side_px > MAX_SIDE_PX[kind]:
        others = " or ".join(other for other in ("png", "tiff") if side_px <= MAX_SIDE_PX[other])
        advice = f"ask for format {others}, or send a smaller copy" if others else "send a smaller copy"
        raise RequestError(
            f"{kind} holds up to {MAX_SIDE_PX[kind]} pixels on a side and the photo has {width_px} x {height_px}; "
            f"{advice}"
        )


def _write(photo: NDArray[Any], kind: str, quality: int, metadata: Carried) -> bytes:
    if kind == "jpeg":
        return write_jpeg(photo, quality, metadata)
    if kind == "png":
        return write_png(photo, metadata)
    if kind == "tiff":
        return write_tiff(photo, metadata)
    return write_webp(photo, quality, metadata)


def _read_back(file: bytes, kind: str, photo: NDArray[Any]) -> None:
    """Walk through the finished file, to its end, with the parsers that judge what strangers send."""
    try:
        header = read_header(file, max_megapixels=float("inf"))
    except RequestError as error:
        raise BrokenResultError(f"the {kind} file cannot be read: {error}") from None
    found = (header.format, header.upright_shape, header.bits, header.orientation)
    expected = (kind, photo.shape, 8 * photo.itemsize, UPRIGHT)
    if found != expected:
        raise BrokenResultError(f"the file holds {found} in place of {expected}")
