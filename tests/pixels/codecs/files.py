"""Photo files taken apart and put together again, and files of every kind."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.photos import encoded, photo

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


def pillow_kinds() -> dict[str, bytes]:
    """Files that Pillow decodes right: what it says is expected."""
    rgb, grey, alpha = Image.fromarray(PIXELS), Image.fromarray(PIXELS).convert("L"), Image.fromarray(RGBA)
    palette, cmyk, bilevel = rgb.convert("P"), rgb.convert("CMYK"), grey.convert("1")
    return {
        "jpeg": encoded(rgb, quality=90),
        "jpeg 444": encoded(rgb, subsampling=0),
        "jpeg progressive": encoded(rgb, progressive=True),
        "jpeg restarts": encoded(rgb, restart_marker_blocks=3),
        "jpeg grey": encoded(grey),
        "jpeg cmyk": encoded(cmyk),
        "jpeg rgb": encoded(rgb, keep_rgb=True),
        "png": encoded(rgb, "PNG"),
        "png grey": encoded(grey, "PNG"),
        "png alpha": encoded(alpha, "PNG"),
        "png grey alpha": encoded(alpha.convert("LA"), "PNG"),
        "png palette": encoded(palette, "PNG"),
        "png 4 bits": encoded(rgb.quantize(16), "PNG", bits=4),
        "png bilevel": encoded(bilevel, "PNG"),
        "png transparent color": encoded(rgb, "PNG", transparency=tuple(int(value) for value in PIXELS[5, 7])),
        "png transparent grey": encoded(grey, "PNG", transparency=grey.getpixel((7, 5))),
        "png transparent palette": encoded(palette, "PNG", transparency=3),
        "tiff": encoded(rgb, "TIFF"),
        "tiff lzw": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "tiff deflate": encoded(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "tiff packbits": encoded(rgb, "TIFF", compression="packbits"),
        "tiff jpeg": encoded(rgb, "TIFF", compression="jpeg"),
        "tiff grey": encoded(grey, "TIFF"),
        "tiff grey jpeg": encoded(grey, "TIFF", compression="jpeg"),
        "tiff alpha": encoded(alpha, "TIFF"),
        "tiff cmyk": encoded(cmyk, "TIFF"),
        "tiff palette": encoded(palette, "TIFF"),
        "tiff bilevel": encoded(bilevel, "TIFF"),
        "tiff fax 3": encoded(bilevel, "TIFF", compression="group3"),
        "tiff fax 4": encoded(bilevel, "TIFF", compression="group4"),
        "tiff big": encoded(rgb, "TIFF", big_tiff=True),
        "webp": encoded(rgb, "WEBP"),
        "webp lossless": encoded(rgb, "WEBP", lossless=True),
        "webp alpha": encoded(alpha, "WEBP"),
        "webp lossless alpha": encoded(alpha, "WEBP", lossless=True),
    }


def known_kinds() -> dict[str, tuple[bytes, NDArray[Any]]]:
    """Files with the pixels that went into them, of kinds that Pillow cannot tell or tells with 8 bits."""
    straight = {"extrasamples": ["unassalpha"]}
    inverted = {"photometric": "miniswhite"}
    kinds: dict[str, tuple[bytes, NDArray[Any]]] = {
        "png 16": (cv2.imencode(".png", DEEP[..., ::-1])[1].tobytes(), DEEP),
        "png 16 alpha": (cv2.imencode(".png", DEEP_RGBA[..., [2, 1, 0, 3]])[1].tobytes(), DEEP_RGBA),
        "png 16 grey": (cv2.imencode(".png", DEEP[..., 0])[1].tobytes(), grey_of(DEEP)),
        "tiff 16 lzw": (cv2.imencode(".tiff", DEEP[..., ::-1])[1].tobytes(), DEEP),
        "tiff 16 alpha": (tiff(DEEP_RGBA, **straight), DEEP_RGBA),
        "tiff 16 grey": (tiff(DEEP[..., 0], photometric="minisblack"), grey_of(DEEP)),
        "tiff 16 white is zero": (tiff(65535 - DEEP[..., 0], **inverted), grey_of(DEEP)),
        "tiff 8 white is zero": (tiff(255 - PIXELS[..., 0], **inverted), grey_of(PIXELS)),
        "tiff 8 alpha planar": (tiff(np.moveaxis(RGBA, 2, 0), planarconfig="separate", **straight), RGBA),
    }
    for bits, pixels in ((8, PIXELS), (16, DEEP)):
        planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
        for order in "<>":
            for compression in (None, "zlib"):
                for predictor in (False, True) if compression else (False,):
                    options = {"byteorder": order, "compression": compression, "predictor": predictor}
                    name = f"tiff {bits} {order} {compression}{' predictor' * predictor}"
                    kinds |= {
                        f"{name} strips": (tiff(pixels, rowsperstrip=7, **options), pixels),
                        f"{name} tiles": (tiff(pixels, tile=(16, 32), **options), pixels),
                        f"{name} planar strips": (
                            tiff(planes, planarconfig="separate", rowsperstrip=7, **options),
                            pixels,
                        ),
                        f"{name} planar tiles": (
                            tiff(planes, planarconfig="separate", tile=(16, 32), **options),
                            pixels,
                        ),
                    }
    return kinds


def grey_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """The first channel as a grey picture in RGB."""
    return np.repeat(pixels[..., :1], 3, axis=2)
