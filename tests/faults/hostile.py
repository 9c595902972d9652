"""Files that were made to do harm, small ones: each once crashed a decoder, or kept everybody waiting.

Damage by chance is tests.faults.damage; what a fuzzer finds in structure is `python -m tests.fuzz`.
"""

import random
import struct
import zlib
from collections.abc import Callable

from tests.faults.damage import photos

APP1, FILL = b"\xff\xe1", b"\xff"


def exif_that_promises_more(chance: random.Random) -> bytes:
    """A JPEG on its side whose EXIF block declares more entries than it holds: OpenCV turns it, out of its buffer."""
    entry = struct.pack("<HHII", 274, 3, 1, 6)
    tiff = struct.pack("<2sHIH", b"II", 42, 8, chance.choice((2, 40, 0xFFFF))) + entry
    return _after_start(photos()["jpeg progressive"], _segment(APP1, b"Exif\0\0" + tiff))


def fill_bytes(chance: random.Random) -> bytes:
    """A JPEG with megabytes of nothing between two markers."""
    return _after_start(photos()["jpeg progressive"], FILL * chance.randrange(1 << 20, 4 << 20))


def many_chunks(chance: random.Random) -> bytes:
    """A PNG with a hundred thousand empty chunks."""
    return _after_header(photos()["png"], _chunk(b"teXt", b"") * chance.randrange(50_000, 100_000))


def claimed_size(chance: random.Random) -> bytes:
    """A PNG that says it is far larger than it is."""
    png = photos()["png"]
    size = struct.pack(">II", *(chance.choice((60_000, 0x7FFFFFFF)) for _ in range(2)))
    header = _chunk(b"IHDR", size + png[24:29])
    return png[:8] + header + png[33:]


def directory_loop(chance: random.Random) -> bytes:
    """A TIFF whose directory is followed by itself."""
    tiff = bytearray(photos()["tiff"])
    (start,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, start)
    struct.pack_into("<I", tiff, start + 2 + 12 * entries, start)
    return bytes(tiff)


def size_twice(chance: random.Random) -> bytes:
    """A TIFF that names its width and height again, far larger."""
    tiff = bytearray(photos()["tiff"])
    (start,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, start)
    rows = bytes(tiff[start + 2 : start + 2 + 12 * entries])
    large = b"".join(struct.pack("<HHII", tag, 4, 1, chance.randrange(20_000, 60_000)) for tag in (256, 257))
    struct.pack_into("<I", tiff, 4, len(tiff))
    return bytes(tiff) + struct.pack("<H", entries + 2) + rows + large + bytes(4)


HOSTILE: tuple[Callable[[random.Random], bytes], ...] = (
    exif_that_promises_more,
    fill_bytes,
    many_chunks,
    claimed_size,
    directory_loop,
    size_twice,
)


def hostile(seed: int) -> tuple[str, bytes]:
    """The hostile file of a seed, always the same.

    Returns:
        what it is, and the file.
    """
    make = HOSTILE[seed % len(HOSTILE)]
    return make.__name__, make(random.Random(seed))


def _segment(marker: bytes, content: bytes) -> bytes:
    return marker + struct.pack(">H", len(content) + 2) + content


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _after_start(jpeg: bytes, more: bytes) -> bytes:
    return jpeg[:2] + more + jpeg[2:]


def _after_header(png: bytes, more: bytes) -> bytes:
    return png[:33] + more + png[33:]
