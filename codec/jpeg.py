"""JPEG files (ITU-T T.81): segments up to the end of the first picture."""

import re
import struct
from dataclasses import dataclass, field

from codec.header import Header, Metadata
from codec.orientation import EXIF_PREFIX, orientation
from codec.refusals import damaged, excessive, unusual

MAX_SEGMENTS = 2000  # 255 of a colour profile, as many of extended XMP, tables and scans
MAX_FILL_BYTES = 4096
MAX_SCANS = 100  # cameras and editors write up to 20
MAX_EXIF_BYTES = 1 << 20

SOI, EOI, SOS, DQT, DHT, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xFE
APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive, all Huffman-coded
UNUSUAL_FRAMES = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "is compressed losslessly"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE), "is coded hierarchically"),
    **dict.fromkeys((0xC9, 0xCA, 0xCC), "is coded arithmetically"),
}
COLORS = {1: "grey", 3: "rgb", 4: "cmyk"}
SAVE_BASELINE = "save it as an ordinary JPEG with 8 bits"

XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
ICC_PREFIX = b"ICC_PROFILE\0"
PER_INCH = {1: 1.0, 2: 2.54}  # JFIF 1.02: inch, centimetre

END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte, a restart nor fill


@dataclass
class _Found:
    """What the segments have said so far."""

    frame: tuple[int, int, int, int] | None = None  # bits, height, width, components
    exif: bytearray = field(default_factory=bytearray)
    xmp: bytes = b""
    icc: dict[int, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    pieces: list[bytes | memoryview] = field(default_factory=lambda: [b"\xff\xd8"])
    jfif: bool = False
    scans: int = 0


def parse(file: memoryview) -> Header:
    """Header of a JPEG file. Its pieces hold tables, scans, and JFIF and Adobe segments, which decide about colour.

    Raises:
        RequestError: as codec.reading.read_header.
    """
    found = _Found()
    at, segments, fill = 2, 0, 0
    while True:
        marker, body, at, skipped = _segment(file, at)
        segments, fill = segments + 1, fill + skipped
        if segments > MAX_SEGMENTS:
            raise excessive("JPEG", MAX_SEGMENTS, "segments")
        if fill > MAX_FILL_BYTES:
            raise excessive("JPEG", MAX_FILL_BYTES, "fill bytes")
        if marker == EOI:
            return _header(found)
        _take(found, marker, body)
        if marker == SOS:
            at = _scan(found, file, at)


def _segment(file: memoryview, at: int) -> tuple[int, memoryview, int, int]:
    """(marker, the segment's bytes behind its length, where the next one begins, fill bytes before the marker)."""
    start = at
    while at < len(file) and file[at] == 0xFF and at - start <= MAX_FILL_BYTES + 1:
        at += 1
    if at == start or at == len(file):
        raise damaged("JPEG", "it ends, or is no JPEG any more, before its end mark")
    marker, skipped = file[at], at - start - 1
    at += 1
    if marker == EOI or skipped > MAX_FILL_BYTES:
        return marker, file[:0], at, skipped
    length = int.from_bytes(file[at : at + 2], "big")
    if length < 2 or at + length > len(file):
        raise damaged("JPEG", "a segment reaches beyond the file's end")
    return marker, file[at + 2 : at + length], at + length, skipped


def _take(found: _Found, marker: int, body: memoryview) -> None:
    """Keep what a segment says; leave out what no decoder needs."""
    if marker in FRAMES:
        _take_frame(found, body)
    elif marker in UNUSUAL_FRAMES:
        raise unusual("JPEG", UNUSUAL_FRAMES[marker], SAVE_BASELINE)
    elif APP0 <= marker <= APP15:
        if not found.scans:  # where readers stop to look for it
            _take_metadata(found, marker, body)
        return
    elif marker == SOS and found.frame is None:
        raise damaged("JPEG", "a scan comes before the size")
    elif marker == COM:
        return
    elif marker not in (DQT, DHT, DRI, SOS):
        raise damaged("JPEG", f"marker {marker:02X} has no place there")
    found.pieces += [struct.pack(">BBH", 0xFF, marker, len(body) + 2), body]


def _take_frame(found: _Found, body: memoryview) -> None:
    if found.frame is not None:
        raise damaged("JPEG", "its size comes twice")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise damaged("JPEG", "its size is cut off")
    found.frame = struct.unpack_from(">BHHB", body)


def _take_metadata(found: _Found, marker: int, body: memoryview) -> None:
    """EXIF may go on in further segments, as cameras with large maker notes write it."""
    start = bytes(body[:32])
    if marker == APP0 and start.startswith(b"JFIF\0") and len(body) >= 14 and not found.jfif:
        found.jfif = True
        found.pieces.append(b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0")
        unit, across, down = struct.unpack_from(">BHH", body, 7)
        found.dpi = (across * PER_INCH[unit], down * PER_INCH[unit]) if unit in PER_INCH else None
    elif marker == APP1 and start.startswith(EXIF_PREFIX):
        found.exif += body[len(EXIF_PREFIX) :]
        if len(found.exif) > MAX_EXIF_BYTES:
            raise excessive("JPEG", MAX_EXIF_BYTES, "bytes of EXIF")
    elif marker == APP1 and start.startswith(XMP_PREFIX):
        found.xmp = bytes(body[len(XMP_PREFIX) :])
    elif marker == APP2 and start.startswith(ICC_PREFIX) and len(body) > 14:
        found.icc[body[12]] = bytes(body[13:])
    elif marker == APP14 and start.startswith(b"Adobe") and len(body) >= 12:
        found.pieces += [b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0", bytes(body[11:12])]


def _scan(found: _Found, file: memoryview, at: int) -> int:
    """Keep the coded data behind a scan's header; where the next marker begins."""
    found.scans += 1
    if found.scans > MAX_SCANS:
        raise excessive("JPEG", MAX_SCANS, "scans")
    end = END_OF_SCAN.search(file, at)
    if end is None:
        raise damaged("JPEG", "it ends within a scan")
    stop = end.start()
    while stop > at and end.start() - stop <= MAX_FILL_BYTES and file[stop - 1] == 0xFF:
        stop -= 1  # fill bytes belong to the marker, where they are counted
    found.pieces.append(file[at:stop])
    return stop


def _header(found: _Found) -> Header:
    if found.frame is None or not found.scans:
        raise damaged("JPEG", "it holds no picture")
    bits, height, width, components = found.frame
    if bits != 8:
        raise unusual("JPEG", f"has {bits} bits per sample", SAVE_BASELINE)
    if components not in COLORS:
        raise unusual("JPEG", f"has {components} colour components", SAVE_BASELINE)
    if not width or not height:
        raise damaged("JPEG", f"its size is {width} x {height}")
    exif = bytes(found.exif).removeprefix(EXIF_PREFIX)
    return Header(
        "jpeg", width, height, 8, COLORS[components],
        orientation=orientation(exif, found.xmp),
        metadata=Metadata(exif, _icc(found.icc), found.xmp, found.dpi),
        pieces=(*found.pieces, b"\xff\xd9"),
    )  # fmt: skip


def _icc(chunks: dict[int, bytes]) -> bytes:
    """A profile from its numbered chunks (ICC.1, annex B.4); nothing where one is missing."""
    whole = chunks and sorted(chunks) == list(range(1, len(chunks) + 1)) and chunks[1][0] == len(chunks)
    return b"".join(chunks[number][1:] for number in sorted(chunks)) if whole else b""
