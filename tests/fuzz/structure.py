"""Photo files as lists of parts, and back: what a mutation of structure works on."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

SCAN = 0x1DA
"""Stands for the coded data behind a scan's header, among the markers of a JPEG."""


@dataclass(frozen=True)
class Part:
    """A JPEG segment, PNG chunk, TIFF entry or RIFF chunk.

    Attributes:
        name: marker, type or tag.
        data: its bytes; of a TIFF entry type, count and value.
        length: that the file claims, where it lies.
    """

    name: int | bytes
    data: bytes
    length: int | None = None

    def claimed(self) -> int:
        """The length to write."""
        return len(self.data) if self.length is None else self.length

    def lying(self, length: int) -> "Part":
        """The same part with another length in front of it."""
        return replace(self, length=max(0, length))


def jpeg_parts(file: bytes) -> list[Part]:
    """Segments of a JPEG file, and scans."""
    parts, at = [], 2
    while at + 4 <= len(file) and file[at] == 0xFF and file[at + 1] != 0xD9:
        end = at + 2 + int.from_bytes(file[at + 2 : at + 4], "big")
        parts.append(Part(file[at + 1], file[at + 4 : end]))
        at = end
        if parts[-1].name == 0xDA:
            while file[end] != 0xFF or file[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            parts.append(Part(SCAN, file[at:end]))
            at = end
    return parts


def jpeg_file(parts: Sequence[Part]) -> bytes:
    """The inverse of jpeg_parts."""
    file = bytearray(b"\xff\xd8")
    for part in parts:
        if part.name != SCAN:
            file += struct.pack(">BBH", 0xFF, _byte(part.name), min(part.claimed() + 2, 0xFFFF))
        file += part.data
    return bytes(file + b"\xff\xd9")


def png_parts(file: bytes) -> list[Part]:
    """Chunks of a PNG file; pixels are inflated, so that mutations reach them."""
    parts, at = [], 8
    while at + 12 <= len(file):
        (length,) = struct.unpack_from(">I", file, at)
        name, data = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        parts.append(Part(name, zlib.decompress(data) if name == b"IDAT" else data))
        at += 12 + length
    return parts


def png_file(parts: Sequence[Part]) -> bytes:
    """The inverse of png_parts, with right checksums."""
    file = bytearray(b"\x89PNG\r\n\x1a\n")
    for part in parts:
        name = part.name if isinstance(part.name, bytes) else b"eviL"
        data = zlib.compress(part.data, 1) if name == b"IDAT" else part.data
        length = len(data) if part.length is None else part.length
        file += struct.pack(">I", length & 0xFFFFFFFF) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return bytes(file)


def tiff_parts(file: bytes) -> list[Part]:
    """Byte order, all that lies before the directory, and the directory's entries."""
    order = "<" if file[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", file, 4)
    (count,) = struct.unpack_from(order + "H", file, at)
    entries = [file[at + 2 + 12 * n : at + 14 + 12 * n] for n in range(count)]
    body = Part(b"body", file[:at] + file[at + 2 + 12 * count + 4 :] if at == 8 else file)
    return [Part(b"order", order.encode()), body if at != 8 else Part(b"body", file)] + [
        Part(struct.unpack_from(order + "H", entry)[0], entry[2:]) for entry in entries
    ]


def tiff_file(parts: Sequence[Part]) -> bytes:
    """The parts with their directory at the end, so that all offsets stay."""
    order = next((part.data.decode() for part in parts if part.name == b"order" and part.data in (b"<", b">")), "<")
    body = bytearray(next((part.data for part in parts if part.name == b"body"), bytes(8)).ljust(8, b"\0"))
    body += bytes(len(body) % 2)
    entries = [part for part in parts if isinstance(part.name, int)]
    body[4:8] = struct.pack(order + "I", len(body))
    body += struct.pack(order + "H", len(entries))
    for entry in entries:
        body += struct.pack(order + "H", entry.name & 0xFFFF) + entry.data[:10].ljust(10, b"\0")
    return bytes(body + bytes(4))


def webp_parts(file: bytes) -> list[Part]:
    """Chunks of a WebP file."""
    parts, at = [], 12
    while at + 8 <= len(file):
        (length,) = struct.unpack_from("<I", file, at + 4)
        parts.append(Part(file[at : at + 4], file[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return parts


def webp_file(parts: Sequence[Part]) -> bytes:
    """The inverse of webp_parts."""
    body = bytearray(b"WEBP")
    for part in parts:
        name = part.name if isinstance(part.name, bytes) else b"EVIL"
        body += name + struct.pack("<I", part.claimed() & 0xFFFFFFFF) + part.data + bytes(len(part.data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + bytes(body)


def _byte(name: int | bytes) -> int:
    return name & 0xFF if isinstance(name, int) else name[0]


FORMATS: dict[str, tuple[Callable[[bytes], list[Part]], Callable[[Sequence[Part]], bytes]]] = {
    "jpeg": (jpeg_parts, jpeg_file),
    "png": (png_parts, png_file),
    "tiff": (tiff_parts, tiff_file),
    "webp": (webp_parts, webp_file),
}
"""By format: taking apart, and putting together."""
