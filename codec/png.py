"""PNG files (PNG, third edition): chunks up to IEND."""

import struct
import zlib
from dataclasses import dataclass, field

from codec.header import Header, Metadata
from codec.orientation import EXIF_PREFIX, orientation
from codec.refusals import damaged, excessive, several

HEAD = struct.Struct(">I4s")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 1000  # beside those of pixels
MAX_PIXEL_CHUNKS = 200_000  # 120 megapixels in chunks of 8 KB are 90,000
MAX_METADATA_BYTES = 4 << 20  # of one chunk, inflated

COLORS = {0: "grey", 2: "rgb", 3: "palette", 4: "grey", 6: "rgb"}
WITH_ALPHA = (4, 6)
BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
METRES_PER_INCH = 0.0254

XMP = b"XML:com.adobe.xmp"
RAW_PROFILE = b"Raw profile type "  # as ImageMagick writes metadata: hexadecimal text
RAW_PROFILES = (b"exif", b"APP1", b"xmp", b"icc", b"icm")


@dataclass
class _Found:
    """What the chunks have said so far."""

    size: tuple[int, int, int, int] | None = None  # width, height, bits, colour type
    palette: bool = False
    transparent: bool = False
    pixels: bool = False
    exif: bytes = b""
    icc: bytes = b""
    dpi: tuple[float, float] | None = None
    texts: dict[bytes, tuple[bytes, memoryview]] = field(default_factory=dict)  # by keyword: chunk type, text
    pieces: list[bytes | memoryview] = field(default_factory=lambda: [SIGNATURE])


def parse(file: memoryview) -> Header:
    """Header of a PNG file. Its pieces hold IHDR, PLTE, tRNS, IDAT and IEND alone.

    Raises:
        RequestError: as codec.reading.read_header.
    """
    found, at = _Found(), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        kind, end = _chunk(file, at)
        if kind == b"IDAT":
            end = _end_of_pixels(file, at)
            _take_pixels(found, file[at:end])
        elif kind == b"IEND":
            found.pieces.append(file[at:end])
            return _header(found)
        else:
            _take(found, kind, file[at:end])
        at = end
    raise excessive("PNG", MAX_CHUNKS, "chunks")


def _chunk(file: memoryview, at: int) -> tuple[bytes, int]:
    """(type of the chunk there, where the next one begins)."""
    if at + 12 > len(file):
        raise damaged("PNG", "it ends before its end chunk")
    length, kind = HEAD.unpack_from(file, at)
    end = at + 12 + length  # length, type, data, checksum
    if end > len(file):
        raise damaged("PNG", "a chunk reaches beyond the file's end")
    return kind, end


def _end_of_pixels(file: memoryview, at: int) -> int:
    for _ in range(MAX_PIXEL_CHUNKS):
        kind, end = _chunk(file, at)
        if kind != b"IDAT":
            return at
        at = end
    raise excessive("PNG", MAX_PIXEL_CHUNKS, "chunks of pixels")


def _take_pixels(found: _Found, chunks: memoryview) -> None:
    if found.size is None or found.pixels:
        raise damaged("PNG", "its pixels stand in the wrong place")
    if COLORS[found.size[3]] == "palette" and not found.palette:
        raise damaged("PNG", "its palette is missing")
    found.pixels = True
    found.pieces.append(chunks)


def _take(found: _Found, kind: bytes, chunk: memoryview) -> None:
    """Keep what a chunk says; leave out what no decoder needs."""
    body = chunk[8:-4]
    if (found.size is None) != (kind == b"IHDR"):
        raise damaged("PNG", "its header chunk is not the first, or not alone")
    if kind == b"IHDR":
        found.size = _size(body)
        found.pieces.append(chunk)
    elif kind == b"PLTE":
        _take_palette(found, chunk)
    elif kind == b"tRNS":
        _take_transparency(found, chunk)
    elif kind == b"acTL" and len(body) == 8 and int.from_bytes(body[:4], "big") > 1:
        raise several("PNG", int.from_bytes(body[:4], "big"))
    elif kind[0] & 0x20 == 0:
        raise damaged("PNG", f"chunk {kind.decode('latin-1')!r} is unknown")
    else:
        _take_metadata(found, kind, body)


def _size(body: memoryview) -> tuple[int, int, int, int]:
    if len(body) != 13:
        raise damaged("PNG", "its header chunk is cut off")
    width, height, bits, color, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    known = color in COLORS and bits in BITS[color] and not compression and not filtering and interlace in (0, 1)
    if not known or not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise damaged("PNG", "its header chunk makes no sense")
    return width, height, bits, color


def _take_palette(found: _Found, chunk: memoryview) -> None:
    """Kept where it decides about colours; elsewhere it is a hint for screens of few colours."""
    length = len(chunk) - 12
    if found.palette or found.pixels or not length or length % 3 or length > 768:
        raise damaged("PNG", "its palette makes no sense")
    found.palette = True
    if found.size is not None and COLORS[found.size[3]] == "palette":
        found.pieces.append(chunk)


def _take_transparency(found: _Found, chunk: memoryview) -> None:
    color = COLORS[found.size[3]] if found.size else ""
    length = len(chunk) - 12
    fits = {"grey": length == 2, "rgb": length == 6, "palette": found.palette and 0 < length <= 256}[color]
    if found.size is None or found.size[3] in WITH_ALPHA or found.pixels or found.transparent or not fits:
        raise damaged("PNG", "its transparent colour makes no sense")
    found.transparent = True
    found.pieces.append(chunk)


def _take_metadata(found: _Found, kind: bytes, body: memoryview) -> None:
    if kind == b"eXIf":
        found.exif = bytes(body[:MAX_METADATA_BYTES])
    elif kind == b"iCCP" and not found.icc:
        _, _, rest = bytes(body[:MAX_METADATA_BYTES]).partition(b"\0")
        found.icc = _inflated(rest[1:])
    elif kind == b"pHYs" and len(body) == 9 and body[8] == 1:
        across, down = struct.unpack_from(">II", body)
        found.dpi = (across * METRES_PER_INCH, down * METRES_PER_INCH)
    elif kind in (b"tEXt", b"zTXt", b"iTXt"):
        keyword = bytes(body[:80]).partition(b"\0")[0]
        if keyword == XMP or keyword.removeprefix(RAW_PROFILE) in RAW_PROFILES:
            found.texts[keyword] = (kind, body[len(keyword) + 1 :])


def _header(found: _Found) -> Header:
    if found.size is None or not found.pixels:
        raise damaged("PNG", "it holds no picture")
    width, height, bits, color = found.size
    texts = {keyword: _text(*text) for keyword, text in found.texts.items()}
    raw = {name: _raw_profile(texts.get(RAW_PROFILE + name, b"")) for name in RAW_PROFILES}
    exif = found.exif or raw[b"exif"] or (raw[b"APP1"] if raw[b"APP1"].startswith(EXIF_PREFIX) else b"")
    exif = exif.removeprefix(EXIF_PREFIX)
    xmp = texts.get(XMP, b"") or raw[b"xmp"]
    return Header(
        "png", width, height, 16 if bits == 16 else 8, COLORS[color],
        alpha=found.transparent or color in WITH_ALPHA,
        orientation=orientation(exif, xmp),
        metadata=Metadata(exif, found.icc or raw[b"icc"] or raw[b"icm"], xmp, found.dpi),
        pieces=tuple(found.pieces),
    )  # fmt: skip


def _text(kind: bytes, body: memoryview) -> bytes:
    """Text of a tEXt, zTXt or iTXt chunk, from behind its keyword; b"" for what is damaged or too long."""
    data = bytes(body[:MAX_METADATA_BYTES])
    if kind == b"tEXt":
        return data
    if kind == b"zTXt":
        return _inflated(data[1:])
    compressed = data[:1] == b"\1"
    _, _, text = data[2:].partition(b"\0")[2].partition(b"\0")  # behind language and translated keyword
    return _inflated(text) if compressed else text


def _inflated(data: bytes) -> bytes:
    """The inflated data if it is sound and no larger than allowed, else b""."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, MAX_METADATA_BYTES)
    except zlib.error:
        return b""
    return inflated if stream.eof else b""


def _raw_profile(text: bytes) -> bytes:
    """ImageMagick's form: lines with nothing, a name, a length, and then hexadecimal digits."""
    lines = text.split(b"\n", 3)
    try:
        return bytes.fromhex(lines[3].decode("ascii")) if len(lines) > 3 else b""
    except ValueError:
        return b""
