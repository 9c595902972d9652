"""What a finished photo file holds, read by walking its whole container: a file that was cut is not finished."""

import struct
import zlib
from dataclasses import dataclass

from pixels.codecs.directory import Block, MalformedError
from pixels.codecs.metadata.fields import read_fields


class IncompleteError(Exception):
    """A file that ends too early, or is damaged; the message says where."""


@dataclass(frozen=True)
class Shape:
    """Pixels of a photo file, as stored.

    Attributes:
        format: "jpeg", "png", "tiff" or "webp".
        width_px: pixels across.
        height_px: pixels down.
        samples: 3, or 4 with transparency.
        bits: of a sample, 8 or 16.
    """

    format: str
    width_px: int
    height_px: int
    samples: int
    bits: int


def shape_of(file: bytes | memoryview) -> Shape:
    """Walk through a photo file of the kinds that `encode` writes, to its end.

    Raises:
        IncompleteError: the file is cut, damaged, or of no such kind.
    """
    view = memoryview(file)
    walks = {b"\xff\xd8": _jpeg, b"\x89P": _png, b"II": _tiff, b"RI": _webp}
    walk = walks.get(bytes(view[:2]))
    if walk is None:
        raise IncompleteError("it starts like no photo file")
    try:
        return walk(view)
    except (struct.error, IndexError, KeyError, ValueError, MalformedError):
        raise IncompleteError("it ends within its own structure") from None


def _jpeg(file: memoryview) -> Shape:
    """Segments up to the scan (ITU T.81, annex B), then the end marker."""
    place, frame = 2, None
    while (marker := file[place + 1]) != 0xDA:
        if file[place] != 0xFF:
            raise IncompleteError("no marker where one belongs")
        if marker in (0xC0, 0xC1, 0xC2):
            frame = struct.unpack_from(">BHHB", file, place + 4)
        place += 2 + struct.unpack_from(">H", file, place + 2)[0]
    if frame is None or bytes(file[-2:]) != b"\xff\xd9" or len(file) < place + 4:
        raise IncompleteError("the scan has no frame or no end")
    bits, height_px, width_px, samples = frame
    return Shape("jpeg", width_px, height_px, samples, bits)


def _png(file: memoryview) -> Shape:
    """Chunks with right check sums, from IHDR to IEND (PNG, third edition, 5)."""
    width_px, height_px, bits, colour = struct.unpack_from(">IIBB", file, 16)
    place, kind, pixels = 8, b"", 0
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", file, place)
        (expected,) = struct.unpack_from(">I", file, place + 8 + length)
        if zlib.crc32(file[place + 4 : place + 8 + length]) != expected:
            raise IncompleteError("a check sum differs")
        pixels += length if kind == b"IDAT" else 0
        place += 12 + length
    if not pixels or place != len(file):
        raise IncompleteError("no pixels, or more after the end")
    return Shape("png", width_px, height_px, {2: 3, 6: 4}[colour], bits)


def _tiff(file: memoryview) -> Shape:
    """One directory, and strips that lie in the file and hold all rows."""
    block = Block(file)
    fields = read_fields(block, block.first, {0x0100, 0x0101, 0x0102, 0x0111, 0x0115, 0x0117}, max_bytes=len(file))
    (width_px,), (height_px,), (samples,) = (fields[tag].numbers for tag in (0x0100, 0x0101, 0x0115))
    bits, starts, lengths = (fields[tag].numbers for tag in (0x0102, 0x0111, 0x0117))
    expected = width_px * height_px * samples * bits[0] // 8
    ends = [start + length for start, length in zip(starts, lengths, strict=False)]
    if len(starts) != len(lengths) or sum(lengths) != expected or max(ends) > len(file):
        raise IncompleteError("the strips do not hold the pixels")
    return Shape("tiff", width_px, height_px, samples, bits[0])


def _webp(file: memoryview) -> Shape:
    """Chunks that fill the RIFF container; the size is that of VP8X where there is one (RFC 9649)."""
    size, kind = struct.unpack_from("<4xI4s", file)
    if kind != b"WEBP" or size + 8 != len(file):
        raise IncompleteError("the container has another length")
    place, chunks = 12, dict[bytes, memoryview]()
    while place < len(file):
        kind, length = struct.unpack_from("<4sI", file, place)
        chunks.setdefault(bytes(kind), file[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    if place != len(file) or not chunks.keys() & {b"VP8 ", b"VP8L"}:
        raise IncompleteError("no pixels, or a chunk that is cut")
    if extended := chunks.get(b"VP8X"):
        width_px, height_px = (int.from_bytes(extended[at : at + 3], "little") + 1 for at in (4, 7))
        return Shape("webp", width_px, height_px, 4 if extended[0] & 0x10 else 3, 8)
    if simple := chunks.get(b"VP8 "):
        width_px, height_px = (each & 0x3FFF for each in struct.unpack_from("<HH", simple, 6))
        return Shape("webp", width_px, height_px, 3, 8)
    (numbers,) = struct.unpack_from("<I", chunks[b"VP8L"], 1)
    return Shape("webp", (numbers & 0x3FFF) + 1, (numbers >> 14 & 0x3FFF) + 1, 4 if numbers >> 28 & 1 else 3, 8)
