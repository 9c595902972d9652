"""Parts of photo files, to put together what no program writes."""

import io
import itertools
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from tests.photos import photo

PIXELS = photo(61, 43)
DEEP = np.random.default_rng(1).integers(0, 65536, (43, 61, 3)).astype(np.uint16)
ALPHA = np.tile(np.linspace(0, 255, 61).astype(np.uint8), (43, 1))
RGBA = np.dstack([PIXELS, ALPHA])
DEEP_RGBA = np.dstack([DEEP, ALPHA.astype(np.uint16) * 257])
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(file: bytes, *segments: bytes) -> bytes:
    """A JPEG file with segments behind its start."""
    return file[:2] + b"".join(segments) + file[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(file: bytes, *chunks: bytes) -> bytes:
    """A PNG file with chunks behind its header."""
    return file[:33] + b"".join(chunks) + file[33:]


def empty_png(width: int, height: int, bits: int = 8) -> bytes:
    """An RGB PNG that claims a size and holds nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    return PNG_SIGNATURE + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def directory(entries: Iterable[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A little-endian TIFF directory of (tag, type, count, value)."""
    packed = [struct.pack("<HHII", *entry) for entry in entries]
    return struct.pack("<H", len(packed)) + b"".join(packed) + struct.pack("<I", following)


def exif(orientation: int) -> bytes:
    """An EXIF block without its prefix."""
    return b"II*\0" + struct.pack("<I", 8) + directory([(0x0112, 3, 1, orientation)])


def xmp(orientation: int) -> bytes:
    """An XMP packet."""
    return f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()


def raw_profile(kind: bytes, data: bytes) -> bytes:
    """ImageMagick's text chunk."""
    text = b"\n%s\n%8d\n%s\n" % (kind, len(data), data.hex().encode())
    return chunk(b"zTXt", b"Raw profile type " + kind + b"\0\0" + zlib.compress(text))


def tiff(pixels: NDArray[Any], **options: object) -> bytes:
    """A TIFF file by tifffile, which knows layouts that Pillow does not write."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **({"photometric": "rgb", "metadata": None} | options))
    return file.getvalue()


def layouts() -> dict[str, tuple[bytes, NDArray[Any]]]:
    """TIFF files in every way to lay out RGB, with the pixels that went into them."""
    made = {}
    for pixels, order, planar in itertools.product((PIXELS, DEEP), "<>", (False, True)):
        samples = np.ascontiguousarray(np.moveaxis(pixels, 2, 0)) if planar else pixels
        separate = {"planarconfig": 2} if planar else {}
        packings = ({}, {"compression": "zlib"}, {"compression": "zlib", "predictor": 2})
        for packing, cut in itertools.product(packings, ({"rowsperstrip": 7}, {"tile": (16, 32)})):
            name = f"{pixels.itemsize * 8} bits, {order}, {packing | cut | separate}"
            made[name] = (tiff(samples, byteorder=order, **packing, **cut, **separate), pixels)
    return made
