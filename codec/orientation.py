"""The orientation of a photo, from EXIF or else XMP."""

import re

from codec.directory import ORIENTATION, WHOLE_NUMBERS, Block, MalformedError
from codec.header import UPRIGHT

EXIF_PREFIX = b"Exif\0\0"
XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])")


def orientation(exif: bytes | memoryview, xmp: bytes) -> int:
    """Orientation of a photo.

    Args:
        exif: a TIFF structure; damaged ones say nothing, as far as they are damaged.
        xmp: an XMP packet, read where EXIF does not speak of orientation.

    Returns:
        1 to 8; 1 where nothing sensible is said.
    """
    said = _exif_orientation(exif)
    if said is None:
        match = XMP_ORIENTATION.search(xmp)
        said = int(match[1]) if match else UPRIGHT
    return said if 1 <= said <= 8 else UPRIGHT


def _exif_orientation(exif: bytes | memoryview) -> int | None:
    try:
        block = Block(exif)
        entry = block.directory(block.first).entries.get(ORIENTATION)
    except MalformedError:
        return None
    if entry is None or not block.raw(entry, len(block.data)):  # empty, of no known type, or cut off
        return None
    return int(block.values(entry)[0]) if entry.kind in WHOLE_NUMBERS else 0
