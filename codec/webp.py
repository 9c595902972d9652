"""WebP files (RFC 9649): RIFF chunks up to the end of the picture."""

import struct
from dataclasses import dataclass, field

from codec.errors import RequestError
from codec.header import Header, Metadata
from codec.orientation import EXIF_PREFIX, orientation
from codec.refusals import damaged, excessive, several

MAX_CHUNKS = 1000
MAX_METADATA_BYTES = 4 << 20
HAS_ALPHA = 0x10  # flags of the VP8X chunk
FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
KEPT = (b"VP8 ", b"VP8L", b"ALPH")


@dataclass
class _Found:
    """What the chunks have said so far."""

    canvas: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    flags: int = 0
    alpha: bool = False
    frames: int = 0
    metadata: dict[bytes, bytes] = field(default_factory=dict)
    pieces: list[bytes | memoryview] = field(default_factory=list)


def parse(file: memoryview) -> Header:
    """Header of a WebP file. Its pieces hold the bitstream, and its alpha plane, alone.

    Raises:
        RequestError: as codec.reading.read_header.
    """
    if bytes(file[8:12]) != b"WEBP":
        raise RequestError("this is a RIFF file, but no photo; send the bytes of a JPEG, PNG, TIFF or WebP file")
    end = 8 + int.from_bytes(file[4:8], "little")
    if end > len(file):
        raise damaged("WebP", "it ends before its last chunk")
    found, at = _Found(), 12
    for _ in range(MAX_CHUNKS):
        if end - at < 8:
            return _header(found)
        kind, length = struct.unpack_from("<4sI", file, at)
        if at + 8 + length > end:
            raise damaged("WebP", "a chunk reaches beyond the file's end")
        body, at = file[at + 8 : at + 8 + length], at + 8 + length
        padding = bytes(file[at : at + length % 2]).ljust(length % 2, b"\0")
        _take(found, bytes(kind), body, padding)
        at += len(padding)
    raise excessive("WebP", MAX_CHUNKS, "chunks")


def _take(found: _Found, kind: bytes, body: memoryview, padding: bytes) -> None:
    if kind == b"VP8X":
        if len(body) < 10 or found.canvas or found.size:
            raise damaged("WebP", "its header chunk makes no sense")
        found.canvas = (_u24(body, 4) + 1, _u24(body, 7) + 1)
        found.flags, found.alpha = body[0], bool(body[0] & HAS_ALPHA)
    elif kind in (b"VP8 ", b"VP8L"):
        if found.size:
            raise damaged("WebP", "it holds two pictures")
        found.size = _lossy_size(body) if kind == b"VP8 " else _lossless_size(found, body)
    elif kind == b"ANMF":
        found.frames += 1
    elif found.flags & FLAGS.get(kind, 0):  # without its flag a chunk of metadata counts for nothing
        found.metadata.setdefault(kind, bytes(body) if len(body) <= MAX_METADATA_BYTES else b"")
    if kind in KEPT:
        # libwebp reads a bitstream that is too short on into the padding, which is to stay what it is
        found.pieces += [struct.pack("<4sI", kind, len(body)), body, padding]


def _lossy_size(body: memoryview) -> tuple[int, int]:
    """Size of a key frame (RFC 6386, section 9.1)."""
    if len(body) < 10 or body[0] & 1 or bytes(body[3:6]) != b"\x9d\x01\x2a":
        raise damaged("WebP", "its picture has no size")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(found: _Found, body: memoryview) -> tuple[int, int]:
    """Size of a VP8L bitstream (RFC 9649, section 3.4), and whether it has alpha."""
    if len(body) < 5 or body[0] != 0x2F:
        raise damaged("WebP", "its picture has no size")
    (bits,) = struct.unpack_from("<I", body, 1)
    if found.canvas is None:
        found.alpha = bool(bits >> 28 & 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _header(found: _Found) -> Header:
    if found.frames:
        raise several("WebP", found.frames)
    if not found.size or 0 in found.size:
        raise damaged("WebP", "it holds no picture")
    if found.canvas not in (None, found.size):
        raise damaged("WebP", "its two sizes differ")
    exif = found.metadata.get(b"EXIF", b"").removeprefix(EXIF_PREFIX)
    xmp = found.metadata.get(b"XMP ", b"")
    return Header(
        "webp", *found.size, 8, "rgb",
        alpha=found.alpha,
        orientation=orientation(exif, xmp),
        metadata=Metadata(exif, found.metadata.get(b"ICCP", b""), xmp),
        pieces=_container(found),
    )  # fmt: skip


def _container(found: _Found) -> tuple[bytes | memoryview, ...]:
    """A file of the kept chunks. An alpha plane, or an alpha flag, needs the extended header."""
    chunks = list(found.pieces)
    if found.canvas and found.size:
        flags = HAS_ALPHA if found.alpha else 0
        sides = b"".join((side - 1).to_bytes(3, "little") for side in found.size)
        chunks.insert(0, struct.pack("<4sIB3x", b"VP8X", 10, flags) + sides)
    return (struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, chunks)), b"WEBP"), *chunks)


def _u24(body: memoryview, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")
