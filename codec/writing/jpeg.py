"""JPEG by libjpeg-turbo, through OpenCV: baseline, colours at half resolution each way, the usual tables.

A tall photo is written in strips, on all cores. Their tables are the same, and each is coded as if it followed a
restart marker (ITU-T T.81, section E.1.4): their scans, with such markers between them, are that of the whole photo.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from codec.metadata.carried import Carried
from codec.metadata.exif import exif_block

START, END = b"\xff\xd8", b"\xff\xd9"
JFIF_END = 20  # libjpeg writes the start and a JFIF segment of 18 bytes, which ours replaces
FRAME, SCAN, RESTART, INTERVAL = 0xC0, 0xDA, 0xD0, 0xDD
HEIGHT_OFFSET = 5  # in a frame's segment, from its marker
BLOCK_PX = 16  # coded at once: two rows and columns of 8 x 8 samples of brightness, and the colours that they share
STRIP_PX = 256  # so that even a strip of the widest JPEG has no more blocks than a restart interval may have, 65,535
MAX_SEGMENT_BYTES = 65_533
PROFILE_PART_BYTES = MAX_SEGMENT_BYTES - 14


def write_jpeg(photo: NDArray[Any], quality: int, metadata: Carried) -> bytes:
    """A JPEG file.

    Args:
        photo: uint8 (height, width, 3), RGB.
        quality: 1 to 100, as libjpeg scales its tables.
        metadata: what goes with it.
    """
    height_px, width_px, _ = photo.shape
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tops = range(0, height_px, STRIP_PX)
        strips = list(pool.map(lambda top: _strip(photo[top : top + STRIP_PX], quality), tops))
    parts = [START, *_segments(metadata), *_scan(strips, width_px, height_px), END]
    return b"".join(parts)


def _strip(photo: NDArray[np.uint8], quality: int) -> memoryview:
    """A JPEG file of some rows."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    swapped = cv2.cvtColor(photo, cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])
    return file.data


def _scan(strips: Sequence[memoryview], width_px: int, height_px: int) -> Iterator[bytes | memoryview]:
    """Tables, header and data of the scan that the strips are together."""
    if len(strips) > 1:
        yield _segment(INTERVAL, struct.pack(">H", STRIP_PX // BLOCK_PX * -(-width_px // BLOCK_PX)))
    starts = [_data_start(strip, height_px) for strip in strips]
    yield strips[0][JFIF_END : starts[0]]
    for number, (strip, start) in enumerate(zip(strips, starts, strict=True)):
        if number:
            yield bytes([0xFF, RESTART + (number - 1) % 8])
        yield strip[start : -len(END)]


def _data_start(strip: memoryview, height_px: int) -> int:
    """Where a file's coded data begin; on the way to there its frame gets the height of the whole photo."""
    at = JFIF_END
    while True:
        marker, length = strip[at + 1], int.from_bytes(strip[at + 2 : at + 4], "big")
        if marker == FRAME:
            struct.pack_into(">H", strip, at + HEIGHT_OFFSET, height_px)
        at += 2 + length
        if marker == SCAN:
            return at


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
