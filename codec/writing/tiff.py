"""TIFF (6.0, baseline RGB): 8 or 16 bits a sample, not compressed, one directory and the pixels behind it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codec.metadata.carried import Carried
from codec.metadata.exif import with_resolution
from codec.metadata.fields import BYTE, HEADER, UNDEFINED, Directory, Field, longs, packed, shorts

STRIP_BYTES = 1 << 20
UNCOMPRESSED, RGB, INTERLEAVED, UNASSOCIATED_ALPHA = 1, 2, 1, 2


def write_tiff(photo: NDArray[Any], metadata: Carried) -> bytes:
    """A TIFF file.

    Args:
        photo: uint8 or uint16 (height, width, 3 or 4), RGB or RGBA.
        metadata: what goes with it; its EXIF fields join those of the pixels.
    """
    pixels = np.ascontiguousarray(photo, photo.dtype.newbyteorder("<"))
    fields = {**with_resolution(metadata.exif, metadata.dpi), **_extras(metadata)}
    pixels_start = len(HEADER) + len(packed({**fields, **_layout(pixels, 0)}, len(HEADER)))
    directory = packed({**fields, **_layout(pixels, pixels_start)}, len(HEADER))
    return b"".join([HEADER, directory, pixels.data.cast("B")])


def _layout(pixels: NDArray[Any], start: int) -> Directory:
    """Fields that say how the pixels lie; strips of about a megabyte, as readers expect them."""
    height_px, width_px, samples = pixels.shape
    row_bytes = width_px * samples * pixels.itemsize
    rows = min(height_px, max(1, STRIP_BYTES // row_bytes))
    first_rows = range(0, height_px, rows)
    directory: Directory = {
        0x0100: longs(width_px),
        0x0101: longs(height_px),
        0x0102: shorts(*[8 * pixels.itemsize] * samples),
        0x0103: shorts(UNCOMPRESSED),
        0x0106: shorts(RGB),
        0x0111: longs(*(start + row * row_bytes for row in first_rows)),
        0x0115: shorts(samples),
        0x0116: longs(rows),
        0x0117: longs(*(min(rows, height_px - row) * row_bytes for row in first_rows)),
        0x011C: shorts(INTERLEAVED),
    }
    if samples == 4:
        directory[0x0152] = shorts(UNASSOCIATED_ALPHA)
    return directory


def _extras(metadata: Carried) -> Directory:
    directory: Directory = {}
    if metadata.xmp:
        directory[0x02BC] = Field(BYTE, metadata.xmp)
    if metadata.profile:
        directory[0x8773] = Field(UNDEFINED, metadata.profile)
    return directory
