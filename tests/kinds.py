"""A photo file of every kind that cameras and editors write, with the pixels that a reader must see in it.

Pillow is the judge of 8-bit files; where it cuts 16 bits to 8, the samples that were written are.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from tests.photos import encoded, photo

WIDTH, HEIGHT = 75, 53
RGB = photo(WIDTH, HEIGHT)
IMAGE = Image.fromarray(RGB)
GREY = IMAGE.convert("L")
ALPHA = photo(WIDTH, HEIGHT, seed=1)[..., 0]
ALPHA[:9, :9] = 255
RGBA = Image.fromarray(np.dstack([RGB, ALPHA]))
DEEP = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 4)).astype(np.uint16)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CMYK_PROFILE = SRGB[:16] + b"CMYK" + SRGB[20:]
TURNED = np.rot90(RGB, -1)  # orientation 6
XMP_TURNED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True)
class Kind:
    """A file and what it shows.

    Attributes:
        name: in words.
        format: "jpeg", "png", "tiff" or "webp".
        file: its bytes.
        pixels: upright, uint8 or uint16 (height, width, 3 or 4), RGB or RGBA with unassociated alpha.
    """

    name: str
    format: str
    file: bytes
    pixels: NDArray[Any]


def kinds() -> list[Kind]:
    """Every kind, in the order of the formats."""
    groups = {"jpeg": jpegs(), "png": pngs(), "tiff": tiffs(), "webp": webps()}
    return [
        Kind(f"{format} {name}", format, file, by_pillow(file) if pixels is None else pixels)
        for format, group in groups.items()
        for name, file, pixels in group
    ]


Made = Iterator[tuple[str, bytes, NDArray[Any] | None]]


def by_pillow(file: bytes) -> NDArray[np.uint8]:
    """A file's pixels as Pillow reads them."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def exif_of(**tags: int) -> Image.Exif:
    """EXIF tags by their hexadecimal numbers, as x0112=6."""
    exif = Image.Exif()
    exif.update({int(tag[1:], 16): value for tag, value in tags.items()})
    return exif


def jpegs() -> Made:
    for name, subsampling in (("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)):
        yield name, encoded(IMAGE, "JPEG", subsampling=subsampling, quality=95), None
    yield "progressive", encoded(IMAGE, "JPEG", progressive=True), None
    yield "with restarts", encoded(IMAGE, "JPEG", restart_marker_blocks=3), None
    yield "stored as RGB", encoded(IMAGE, "JPEG", keep_rgb=True), None
    yield "grey", encoded(GREY, "JPEG"), None
    yield "CMYK", encoded(IMAGE.convert("CMYK"), "JPEG"), None
    yield "CMYK with its profile", encoded(IMAGE.convert("CMYK"), "JPEG", icc_profile=CMYK_PROFILE), None
    yield "YCCK", ycck_jpeg(), None
    yield "of two pictures, as phones write it", encoded(IMAGE, "MPO", save_all=True, append_images=[GREY]), None
    for orientation in range(1, 9):
        yield f"with orientation {orientation}", encoded(IMAGE, "JPEG", exif=exif_of(x0112=orientation)), None
    sizes = exif_of(x0100=9, x0101=25_000_000, x0116=25_000_000, x0111=8, x0117=99)
    yield "with structure tags in its EXIF", encoded(IMAGE, "JPEG", exif=sizes), None
    phone = exif_of(x0112=6)
    phone.get_ifd(0x8769).update({0xA002: 4000, 0xA003: 3000})
    yield "of a phone, resized", encoded(IMAGE, "JPEG", exif=phone), None
    yield "with orientation in XMP", encoded(IMAGE, "JPEG", xmp=XMP_TURNED), np.rot90(by_pillow(encoded(IMAGE)), -1)


def ycck_jpeg() -> bytes:
    """Pillow's CMYK JPEG, whose first three channels are YCbCr; the Adobe segment says so (transform 2)."""
    black = GREY.point(lambda value: value // 4)
    file = encoded(Image.merge("CMYK", (*IMAGE.convert("YCbCr").split(), black)), "JPEG", quality=95)
    transform = file.index(b"Adobe\0") + 11
    return file[:transform] + b"\2" + file[transform + 1 :]


def pngs() -> Made:
    grey = np.asarray(GREY)[..., None]
    for bits in (1, 2, 4, 8):
        yield f"grey, {bits} bits", png(grey >> 8 - bits, 0, bits), None
        yield f"palette, {bits} bits", png(grey >> 8 - bits, 3, bits, PLTE=RGB.tobytes()[: 3 << bits]), None
    yield "grey, 16 bits", png(DEEP[..., :1], 0, 16), np.repeat(DEEP[..., :1], 3, axis=2)
    yield "RGB, 8 bits", png(RGB, 2, 8), None
    yield "RGB, 16 bits", png(DEEP[..., :3], 2, 16), DEEP[..., :3]
    yield "grey and alpha, 8 bits", png(np.dstack([grey, ALPHA]), 4, 8), None
    yield "grey and alpha, 16 bits", png(DEEP[..., 2:], 4, 16), DEEP[..., [2, 2, 2, 3]]
    yield "RGBA, 8 bits", png(np.asarray(RGBA), 6, 8), None
    yield "RGBA, 16 bits", png(DEEP, 6, 16), DEEP
    yield "grey with a transparent value", png(grey, 0, 8, tRNS=bytes([0, int(grey[5, 5, 0])])), None
    yield "RGB with a transparent colour", png(RGB, 2, 8, tRNS=bytes(np.insert(RGB[5, 5], [0, 1, 2], 0))), None
    key = DEEP[5, 5, :3].astype(">u2").tobytes()
    opaque = np.where((DEEP[..., :3] == DEEP[5, 5, :3]).all(axis=2), 0, 65535).astype(np.uint16)
    yield (
        "RGB with a transparent colour, 16 bits",
        png(DEEP[..., :3], 2, 16, tRNS=key),
        np.dstack([DEEP[..., :3], opaque]),
    )
    palette = {"PLTE": RGB.tobytes()[:768], "tRNS": bytes(range(200))}
    yield "palette with transparency", png(grey, 3, 8, **palette), None
    for name, samples, colour, bits in (
        ("RGB", RGB, 2, 8),
        ("RGBA", np.asarray(RGBA), 6, 8),
        ("grey", grey >> 6, 0, 2),
    ):
        yield f"{name}, interlaced", png(samples, colour, bits, interlaced=True), None
    yield "RGB, 16 bits, interlaced", png(DEEP[..., :3], 2, 16, interlaced=True), DEEP[..., :3]
    turned = exif_of(x0112=6).tobytes()
    yield "with orientation in eXIf", png(RGB, 2, 8, eXIf=turned.removeprefix(b"Exif\0\0")), TURNED
    yield "with orientation in XMP", png(RGB, 2, 8, iTXt=b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED), TURNED
    raw = f"\nexif\n{len(turned):8}\n{turned.hex()}\n".encode()
    yield "with orientation in ImageMagick's profile", png(RGB, 2, 8, tEXt=b"Raw profile type exif\0" + raw), TURNED
    upright_alpha = np.rot90(np.asarray(RGBA), -1)
    yield (
        "RGBA with orientation in XMP",
        png(np.asarray(RGBA), 6, 8, iTXt=b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED),
        upright_alpha,
    )


def png(samples: NDArray[Any], colour: int, bits: int, interlaced: bool = False, **chunks: bytes) -> bytes:
    """A PNG file, without filters; samples (height, width, channels) hold values of so many bits."""
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = [
        b"\0" + packed_row(row, bits)
        for top, left, down, across in passes
        for row in samples[top::down, left::across]
        if row.size
    ]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    named = {"IHDR": header, **chunks, "IDAT": zlib.compress(b"".join(rows)), "IEND": b""}
    parts = [name.encode() + data for name, data in named.items()]
    framed = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
"""First row, first column, step down, step across of each pass (PNG, third edition, 8.1)."""


def packed_row(row: NDArray[Any], bits: int) -> bytes:
    if bits == 16:
        return row.astype(">u2").tobytes()
    if bits == 8:
        return row.astype(np.uint8).tobytes()
    digits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - bits :]
    return np.packbits(digits.reshape(-1)).tobytes()


def tiffs() -> Made:
    grey, deep_grey = np.asarray(GREY), DEEP[..., 0]
    deep_rgb, alpha = DEEP[..., :3], np.asarray(RGBA)
    for order, name in (("<", "little-endian"), (">", "big-endian")):
        yield f"RGB, {name}", tiff(RGB, "rgb", byteorder=order), None
        yield f"RGB, 16 bits, {name}", tiff(deep_rgb, "rgb", byteorder=order), deep_rgb
        yield f"grey, {name}", tiff(grey, "minisblack", byteorder=order), None
        yield f"grey, 16 bits, {name}", tiff(deep_grey, "minisblack", byteorder=order), np.dstack([deep_grey] * 3)
        planes = np.ascontiguousarray(deep_rgb.transpose(2, 0, 1))
        yield f"RGB in planes, 16 bits, {name}", tiff(planes, "rgb", planarconfig="separate", byteorder=order), deep_rgb
    yield "RGB in planes", tiff(np.ascontiguousarray(RGB.transpose(2, 0, 1)), "rgb", planarconfig="separate"), RGB
    yield "white is zero", tiff(grey, "miniswhite"), np.dstack([255 - grey] * 3)
    yield "white is zero, 16 bits", tiff(deep_grey, "miniswhite"), np.dstack([65535 - deep_grey] * 3)
    yield "RGB in tiles", tiff(RGB, "rgb", tile=(32, 48)), RGB
    yield "RGB in tiles, 16 bits", tiff(deep_rgb, "rgb", tile=(32, 48)), deep_rgb
    yield "grey in tiles, 16 bits", tiff(deep_grey, "minisblack", tile=(16, 16)), np.dstack([deep_grey] * 3)
    yield "RGB in short strips", tiff(RGB, "rgb", rowsperstrip=7), RGB
    yield "RGB, deflated", tiff(RGB, "rgb", compression="zlib"), RGB
    yield "RGB, 16 bits, deflated", tiff(deep_rgb, "rgb", compression="zlib"), deep_rgb
    yield "RGB, deflated differences", tiff(RGB, "rgb", compression="zlib", predictor=2), RGB
    yield "RGBA", tiff(alpha, "rgb", extrasamples=["unassalpha"]), alpha
    yield "RGBA, 16 bits", tiff(DEEP, "rgb", extrasamples=["unassalpha"]), DEEP
    yield (
        "RGBA in planes",
        tiff(
            np.ascontiguousarray(alpha.transpose(2, 0, 1)), "rgb", planarconfig="separate", extrasamples=["unassalpha"]
        ),
        alpha,
    )
    premultiplied = (alpha[..., :3] * (alpha[..., 3:] / 255.0)).round().astype(np.uint8)
    yield "RGBA, associated", tiff(np.dstack([premultiplied, ALPHA]), "rgb", extrasamples=["assocalpha"]), None
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate"):
        yield f"RGB, {compression}", encoded(IMAGE, "TIFF", compression=compression), None
    yield (
        "RGB, 16 bits, LZW",
        cv2.imencode(".tiff", deep_rgb[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes(),
        deep_rgb,
    )
    yield "YCbCr, JPEG", encoded(IMAGE.convert("YCbCr"), "TIFF", compression="jpeg", quality=95), None
    yield "grey, JPEG", encoded(GREY, "TIFF", compression="jpeg", quality=95), None
    yield "CMYK", encoded(IMAGE.convert("CMYK"), "TIFF"), None
    yield "CMYK, LZW", encoded(IMAGE.convert("CMYK"), "TIFF", compression="tiff_lzw"), None
    yield "palette", encoded(IMAGE.convert("P"), "TIFF"), None
    yield "grey and alpha", encoded(RGBA.convert("LA"), "TIFF"), None
    yield "bilevel", encoded(IMAGE.convert("1"), "TIFF"), None
    yield "bilevel, fax", encoded(IMAGE.convert("1"), "TIFF", compression="group4"), None
    for orientation in range(2, 9):
        yield f"with orientation {orientation}", encoded(IMAGE, "TIFF", exif=exif_of(x0112=orientation)), None
    turned = tiff(deep_rgb, "rgb", extratags=[(0x0112, "H", 1, 6, True)])
    yield "RGB, 16 bits, with orientation 6", turned, np.rot90(deep_rgb, -1)


def tiff(samples: NDArray[Any], photometric: str, **options: Any) -> bytes:  # noqa: ANN401  # as tifffile has them
    file = io.BytesIO()
    tifffile.imwrite(file, samples, photometric=photometric, metadata=None, **options)
    return file.getvalue()


def webps() -> Made:
    yield "lossy", encoded(IMAGE, "WEBP", quality=90), None
    yield "lossless", encoded(IMAGE, "WEBP", lossless=True), None
    yield "lossy with alpha", encoded(RGBA, "WEBP", quality=90), None
    yield "lossless with alpha", encoded(RGBA, "WEBP", lossless=True, exact=True), None
    for orientation in (3, 6, 8):
        yield f"with orientation {orientation}", encoded(IMAGE, "WEBP", exif=exif_of(x0112=orientation)), None
    yield "with a profile", encoded(IMAGE, "WEBP", lossless=True, icc_profile=SRGB), None


KINDS = kinds()
