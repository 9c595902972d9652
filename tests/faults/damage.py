"""Photo files and damaged ones, from a seed: what transfers, disks and other people's programs make of files."""

import io
import random
import struct
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from PIL import Image

from files.checkout import ROOT

SAMPLE = ROOT / "docs/samples/kitchen.jpg"
SIZE_PX = (176, 132)
Mutation = Callable[[random.Random, bytearray], bytearray]


@cache
def photos() -> dict[str, bytes]:
    """One small photo in every kind of file that the server reads."""
    photo = Image.open(SAMPLE).convert("RGB").resize(SIZE_PX, Image.Resampling.BOX)
    exif = Image.Exif()
    exif[274] = 6  # on its side
    deep = np.asarray(photo).astype(np.uint16) * 257
    return {
        "jpeg": _file(photo, "JPEG", quality=85, exif=exif.tobytes()),
        "jpeg progressive": _file(photo, "JPEG", quality=85, progressive=True),
        "jpeg cmyk": _file(photo.convert("CMYK"), "JPEG", quality=85),
        "jpeg grey": _file(photo.convert("L"), "JPEG", quality=85),
        "png": _file(photo, "PNG"),
        "png 16 bits": cv2.imencode(".png", deep)[1].tobytes(),
        "png alpha": _file(photo.convert("RGBA"), "PNG"),
        "png palette": _file(photo.quantize(64), "PNG"),
        "tiff": _file(photo, "TIFF", exif=exif),
        "tiff lzw": _file(photo, "TIFF", compression="tiff_lzw"),
        "tiff deflate": _file(photo, "TIFF", compression="tiff_adobe_deflate"),
        "tiff 16 bits": cv2.imencode(".tiff", deep)[1].tobytes(),
        "webp": _file(photo, "WEBP", quality=85),
        "webp lossless": _file(photo, "WEBP", lossless=True),
    }


def _file(photo: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def truncated(chance: random.Random, file: bytearray) -> bytearray:
    """A transfer that broke off."""
    return file[: chance.randrange(1, len(file))]


def flipped_bits(chance: random.Random, file: bytearray) -> bytearray:
    """A bad disk or bad memory."""
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        file[chance.randrange(len(file))] ^= 1 << chance.randrange(8)
    return file


def damaged_header(chance: random.Random, file: bytearray) -> bytearray:
    """Random bytes where sizes, types and offsets stand."""
    for _ in range(chance.choice((1, 2, 4))):
        file[chance.randrange(min(len(file), 96))] = chance.randrange(256)
    return file


def damaged_number(chance: random.Random, file: bytearray) -> bytearray:
    """A count, a length or an offset that is far too large, or nothing."""
    place = chance.randrange(max(1, len(file) - 4))
    number = chance.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    file[place : place + 4] = struct.pack(chance.choice(("<I", ">I")), number)
    return file


def lost_block(chance: random.Random, file: bytearray) -> bytearray:
    """A sector that reads as zeros, or is missing."""
    start, size = chance.randrange(len(file)), chance.choice((1, 16, 512, 4096))
    file[start : start + size] = bytes(min(size, len(file) - start)) if chance.random() < 0.5 else b""
    return file


def repeated_block(chance: random.Random, file: bytearray) -> bytearray:
    """A block that was written twice."""
    start, size = chance.randrange(len(file)), chance.choice((1, 16, 512, 4096))
    place = chance.randrange(len(file))
    file[place:place] = file[start : start + size]
    return file


def crossed(chance: random.Random, file: bytearray) -> bytearray:
    """The beginning of one file and the end of another, often of another format."""
    other = chance.choice(list(photos().values()))
    return file[: chance.randrange(1, len(file))] + other[chance.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (
    truncated,
    flipped_bits,
    damaged_header,
    damaged_number,
    lost_block,
    repeated_block,
    crossed,
)


def damaged(seed: int) -> tuple[str, bytes]:
    """The damaged file of a seed, always the same.

    Returns:
        what it was and what happened to it, and the file.
    """
    chance = random.Random(seed)
    kind = list(photos())[seed % len(photos())]
    mutations = chance.choices(MUTATIONS, k=chance.choice((1, 1, 1, 2, 3)))
    file = bytearray(photos()[kind])
    for mutation in mutations:
        file = mutation(chance, file) or bytearray(b"\0")
    return f"{kind}: {', '.join(each.__name__ for each in mutations)}", bytes(file)
