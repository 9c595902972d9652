"""What no camera writes is refused before it is decoded, in time that is linear in the file's size."""

import struct
import zlib
from collections.abc import Callable

import pytest

from codec import jpeg, png, reading, tiff, tiff_layout
from codec.directory import Block
from codec.errors import RequestError
from tests.codec.files import PIXELS, chunk, directory, empty_png, segment, with_chunks, with_segments
from tests.fuzz.structure import webp_file, webp_parts
from tests.photos import encoded

JPEG, PNG = encoded(PIXELS), encoded(PIXELS, "PNG")
SCAN = JPEG[JPEG.index(b"\xff\xda") : -2]


def tiff_of(*extra: tuple[int, int, int, int], strips: tuple[int, int] = (8, 3)) -> bytes:
    """One grey pixel, and entries that may contradict it."""
    entries = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: strips[0], 277: 1, 278: 1, 279: strips[1]}
    said = [(tag, 4, 1, value) for tag, value in entries.items()]
    return b"II*\0" + struct.pack("<I", 16) + b"pixels\0\0" + directory([*said, *extra])


def tiff_chain(count: int) -> bytes:
    """Directories of nothing, each of which points to the next."""
    first = tiff_of()[:-4]
    starts = [len(first) + 4 + 6 * index for index in range(count)]
    return first + struct.pack("<I", starts[0]) + b"".join(directory([], start) for start in [*starts[1:], 0])


def webp_with_its_header_last() -> bytes:
    parts = webp_parts(encoded(PIXELS, "WEBP", xmp=b"<x/>"))
    return webp_file([*parts[1:], parts[0]])


REFUSED = {
    "20 MB of fill bytes": (JPEG[:2] + b"\xff" * 20_000_000 + JPEG[2:], "4096 fill bytes"),
    "20 MB of fill bytes behind a scan": (JPEG[:-2] + b"\xff" * 20_000_000 + JPEG[-2:], "4096 fill bytes"),
    "500 scans": (JPEG[:-2] + SCAN * 500 + JPEG[-2:], "100 scans"),
    "10,000 comments": (with_segments(JPEG, *[segment(0xFE, b"")] * 10_000), "2000 segments"),
    "endless EXIF": (with_segments(JPEG, *[segment(0xE1, b"Exif\0\0" + bytes(65000))] * 20), "bytes of EXIF"),
    "two sizes": (JPEG[: JPEG.index(b"\xff\xda")] + segment(0xC0, bytes(6)) + JPEG[JPEG.index(b"\xff\xda") :], "twice"),
    "a million chunks": (with_chunks(PNG, chunk(b"teXt", b"") * 1_000_000), "1000 chunks"),
    "a million chunks of pixels": (with_chunks(PNG, chunk(b"IDAT", b"") * 1_000_000), "chunks of pixels"),
    "two headers": (with_chunks(PNG, PNG[8:33]), "header chunk"),
    "an unknown critical chunk": (with_chunks(PNG, chunk(b"EVIL", b"")), "unknown"),
    "48,000 directories": (tiff_chain(48_000), "8 directories"),
    "a directory that points to itself": (tiff_of()[:-4] + struct.pack("<I", 16), "8 directories"),
    "dimensions twice": (tiff_of((256, 4, 1, 11500), (257, 4, 1, 11500)), "tag 256 comes twice"),
    "a billion bits": (tiff_of((258, 3, 1_000_000_000, 8)).replace(struct.pack("<HHII", 258, 4, 1, 8), b""), "damaged"),
    "a million strips": (
        tiff_of().replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 1_000_000)),
        "strips or tiles",
    ),
    "strips and tiles": (tiff_of((324, 4, 1, 8), (325, 4, 1, 3)), "make no sense"),
    "planes of no kind": (tiff_of((284, 3, 1, 0)), "make no sense"),
    "a palette without colours": (
        tiff_of().replace(struct.pack("<HHII", 262, 4, 1, 1), struct.pack("<HHII", 262, 4, 1, 3)),
        "palette",
    ),
    "a width that is no whole number": (
        tiff_of().replace(struct.pack("<HHII", 256, 4, 1, 1), struct.pack("<HHIf", 256, 11, 1, 1)),
        "tag 256 does not hold one number",
    ),
    "a header behind its picture": (webp_with_its_header_last(), "header chunk makes no sense"),
    "a strip beyond the end": (tiff_of(strips=(8, 1_000_000)), "beyond the file's end"),
    "a strip below zero": (tiff_of(strips=(2**32 - 2, 3)), "beyond the file's end"),
    "132 megapixels": (empty_png(11500, 11500), r"11500 x 11500 pixels \(132 megapixels\).* up to 120"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_sentence(name: str) -> None:
    file, reason = REFUSED[name]
    with pytest.raises(RequestError, match=reason):
        reading.read_header(file, max_megapixels=120)


@pytest.mark.parametrize(
    ("name", "module", "step", "most"),
    [
        ("500 scans", jpeg, "_segment", jpeg.MAX_SEGMENTS + 1),
        ("10,000 comments", jpeg, "_segment", jpeg.MAX_SEGMENTS + 1),
        ("a million chunks", png, "_chunk", png.MAX_CHUNKS),
        ("a million chunks of pixels", png, "_chunk", png.MAX_CHUNKS + png.MAX_PIXEL_CHUNKS + 1),
    ],
)
def test_the_steps_are_counted(
    monkeypatch: pytest.MonkeyPatch, name: str, module: object, step: str, most: int
) -> None:
    steps, real = 0, getattr(module, step)

    def counted(*arguments: object) -> object:
        nonlocal steps
        steps += 1
        return real(*arguments)

    monkeypatch.setattr(module, step, counted)
    with pytest.raises(RequestError):
        reading.read_header(REFUSED[name][0], max_megapixels=120)
    assert 0 < steps <= most


def test_few_directories_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    real: Callable[..., object] = Block.directory
    monkeypatch.setattr(Block, "directory", lambda block, at, *most: [opened.append(at), real(block, at, *most)][1])
    with pytest.raises(RequestError):
        reading.read_header(REFUSED["48,000 directories"][0], max_megapixels=120)
    assert len(opened) <= tiff.MAX_DIRECTORIES + 1


def test_strips_that_overlap_are_refused() -> None:
    """Or a small file would swell to any size when it is put together again."""
    rows = 1000
    pixels = bytes(1000)
    where = 8 + len(pixels)
    table = struct.pack(f"<{rows}I", *[8] * rows), struct.pack(f"<{rows}I", *[1000] * rows)
    at = where + len(table[0]) + len(table[1])
    entries = [
        (256, 4, 1, 1000), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, rows, where), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, rows, where + len(table[0])),
    ]  # fmt: skip
    file = b"II*\0" + struct.pack("<I", at) + pixels + b"".join(table) + directory(entries)
    with pytest.raises(RequestError, match="overlap"):
        reading.read_header(file, max_megapixels=120)
    assert rows < tiff_layout.MAX_SEGMENTS


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_metadata_that_swells_is_left_out(kind: bytes) -> None:
    bomb = zlib.compress(bytes(png.MAX_METADATA_BYTES + 1), 9)
    name = b"Raw profile type exif\0\0" if kind == b"zTXt" else b"ICC profile\0\0"
    metadata = reading.read_header(with_chunks(PNG, chunk(kind, name + bomb)), max_megapixels=120).metadata
    assert metadata.exif == b"" and metadata.icc == b""
