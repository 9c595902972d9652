"""JPEG by libjpeg-turbo, through OpenCV: baseline, colours at half resolution each way, the usual tables."""

import struct
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from codec.metadata.carried import Carried
from codec.metadata.exif import exif_block

START = b"\xff\xd8"
JFIF_END = 20  # libjpeg writes the start and a JFIF segment of 18 bytes, which ours replaces
MAX_SEGMENT_BYTES = 65_533
PROFILE_PART_BYTES = MAX_SEGMENT_BYTES - 14


def write_jpeg(photo: NDArray[Any], quality: int, metadata: Carried) -> bytes:
    """A JPEG file.

    Args:
        photo: uint8 (height, width, 3), RGB.
        quality: 1 to 100, as libjpeg scales its tables.
        metadata: what goes with it.
    """
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    swapped = cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])
    return b"".join([START, *_segments(metadata), file.data[JFIF_END:]])


def _segments(metadata: Carried) -> Iterator[bytes]:
    across, down = (round(each) for each in metadata.dpi or (1, 1))
    yield _segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, metadata.dpi is not None, across, down, 0, 0))
    if block := exif_block(metadata.exif, metadata.dpi):
        yield _segment(0xE1, b"Exif\0\0" + block)
    if metadata.xmp:
        yield _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + metadata.xmp)
    profile = metadata.profile
    parts = [profile[at : at + PROFILE_PART_BYTES] for at in range(0, len(profile), PROFILE_PART_BYTES)]
    for number, part in enumerate(parts, start=1):
        yield _segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part)


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
