"""Metadata that travels from the photo to its edited copy: EXIF, colour profile, XMP, resolution."""

import struct
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
UPRIGHT = 1
EXIF_HEADER = b"Exif\x00\x00"


def carried_metadata(image: Image.Image) -> dict[str, Any]:
    """Arguments for ``Image.save`` that put a photo's metadata into its edited copy.

    The EXIF block is passed on byte for byte, maker notes included, but for its orientation: decoding has turned the
    pixels upright.
    """
    exif = image.info.get("exif") or image.getexif().tobytes()
    found = {
        "exif": upright(exif) if len(exif) > len(EXIF_HEADER) else None,
        "icc_profile": image.info.get("icc_profile"),
        "xmp": image.info.get("xmp"),
        "dpi": image.info.get("dpi"),
    }
    return {name: value for name, value in found.items() if value}


def upright(exif: bytes) -> bytes:
    """Reset the orientation in an EXIF block (EXIF 2.32, section 4.6.2: a TIFF directory); damaged blocks stay."""
    start = len(EXIF_HEADER) if exif.startswith(EXIF_HEADER) else 0
    block = bytearray(exif)
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(block[start : start + 2])]
        (directory,) = struct.unpack_from(order + "I", block, start + 4)
        (entries,) = struct.unpack_from(order + "H", block, start + directory)
        for entry in range(start + directory + 2, start + directory + 2 + 12 * entries, 12):
            if struct.unpack_from(order + "H", block, entry)[0] == ORIENTATION:
                struct.pack_into(order + "H", block, entry + 8, UPRIGHT)
    except (KeyError, struct.error):
        return exif
    return bytes(block)
