"""How a TIFF file lays out its samples (TIFF 6.0), and which layouts are decoded right."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codec.directory import Block, Directory
from codec.refusals import damaged, excessive, unusual

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR = 273, 277, 278, 279, 284
T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOR_MAP = 292, 293, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, YCBCR_SUBSAMPLING = 338, 339, 347, 530

UNSIGNED = (1, 3, 4, 16)  # TIFF types: BYTE, SHORT, LONG, and LONG8 of BigTIFF
FAR = 1 << 48  # beyond any file; sums of offsets and sizes stay in 64 bits
MAX_SEGMENTS = 100_000  # strips or tiles
MAX_SAMPLES = 6
MAX_SIDE_PX = 1 << 24

NONE, LZW, DEFLATE, JPEG, PACKBITS = 1, 5, 8, 7, 32773
FAX = (2, 3, 4)
COMPRESSIONS = {each: each for each in (NONE, *FAX, LZW, JPEG, DEFLATE, PACKBITS)} | {32946: DEFLATE}
NAMES = {6: "old JPEG", 34712: "JPEG 2000", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP"}

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
COLORS = {WHITE_IS_ZERO: "grey", BLACK_IS_ZERO: "grey", RGB: "rgb", PALETTE: "palette", CMYK: "cmyk", YCBCR: "ycbcr"}
COLOR_SAMPLES = {"grey": 1, "rgb": 3, "palette": 1, "cmyk": 4, "ycbcr": 3}
BITS_OF = {"grey": (1, 2, 4, 8, 16), "rgb": (8, 16), "palette": (1, 2, 4, 8), "cmyk": (8, 16), "ycbcr": (8,)}
IGNORED, ASSOCIATED, STRAIGHT = 0, 1, 2  # extra samples: what the fourth sample of RGB means

SAVE_PLAIN = "save it as RGB or grey with 8 or 16 bits, uncompressed or with LZW or ZIP"


@dataclass(frozen=True)
class Layout:
    """Where a TIFF file's samples lie and what they mean.

    Attributes:
        width, height: in pixels.
        bits: per sample.
        samples: per pixel, extra ones included.
        compression, photometric, predictor: as TIFF numbers them.
        planar: whether each sample has a plane of its own.
        extra: what the samples behind the colours mean.
        tile_width, tile_height: of a tile in pixels, or of a strip, which is as wide as the photo.
        tiled: tiles, not strips.
        offsets, sizes: int64, of each strip or tile in bytes; plane by plane, row by row.
    """

    width: int
    height: int
    bits: int
    samples: int
    compression: int
    photometric: int
    predictor: int
    planar: bool
    extra: tuple[int, ...]
    tile_width: int
    tile_height: int
    tiled: bool
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def colors(self) -> str:
        """Like codec.header.Header.colors."""
        return COLORS[self.photometric]

    @property
    def alpha(self) -> int:
        """IGNORED (none), ASSOCIATED or STRAIGHT."""
        return self.extra[0] if self.extra else IGNORED

    @property
    def planes(self) -> int:
        """Pictures of one sample or of all samples, each in strips or tiles of its own."""
        return self.samples if self.planar else 1

    @property
    def grid(self) -> tuple[int, int]:
        """(down, across): strips or tiles of one plane."""
        return -(-self.height // self.tile_height), -(-self.width // self.tile_width)


def read_layout(block: Block, directory: Directory) -> Layout:
    """The layout of a directory's picture, checked.

    Raises:
        RequestError: damaged, beyond a limit, or a layout that is not decoded right.
    """
    number = _Numbers(block, directory)
    width, height = number(WIDTH), number(HEIGHT)
    if not 0 < width <= MAX_SIDE_PX or not 0 < height <= MAX_SIDE_PX:
        raise damaged("TIFF", f"its size is {width} x {height}")
    samples = number(SAMPLES, 1)
    if not 1 <= samples <= MAX_SAMPLES:
        raise unusual("TIFF", f"has {samples} samples per pixel", SAVE_PLAIN)
    tiled = TILE_WIDTH in directory.entries
    if number(PLANAR, 1) not in (1, 2) or (TILE_OFFSETS in directory.entries) == (STRIP_OFFSETS in directory.entries):
        raise damaged("TIFF", "its strips, tiles or planes make no sense")
    layout = Layout(
        width, height, number.same(BITS, 1), samples,
        compression=COMPRESSIONS.get(number(COMPRESSION, NONE), 0),
        photometric=number(PHOTOMETRIC, -1),
        predictor=number(PREDICTOR, 1),
        planar=number(PLANAR, 1) == 2 and samples > 1,
        extra=number.all(EXTRA_SAMPLES, MAX_SAMPLES),
        tile_width=number(TILE_WIDTH) if tiled else width,
        tile_height=number(TILE_HEIGHT) if tiled else min(height, number(ROWS_PER_STRIP, height)),
        tiled=tiled,
        offsets=number.array(TILE_OFFSETS if tiled else STRIP_OFFSETS),
        sizes=number.array(TILE_BYTES if tiled else STRIP_BYTES),
    )  # fmt: skip
    if not layout.compression:
        name = NAMES.get(number(COMPRESSION), f"method {number(COMPRESSION)}")
        raise unusual("TIFF", f"is compressed with {name}", SAVE_PLAIN)
    if set(number.all(SAMPLE_FORMAT, MAX_SAMPLES)) - {1}:
        raise unusual("TIFF", "has samples that are no unsigned whole numbers", SAVE_PLAIN)
    _check_kind(layout)
    return _check_segments(_with_implied_alpha(layout), len(block.data))


class _Numbers:
    """Whole numbers of a directory's tags."""

    def __init__(self, block: Block, directory: Directory) -> None:
        self.block, self.entries = block, directory.entries

    def __call__(self, tag: int, default: int = 0) -> int:
        values = self.all(tag, 1)
        if tag in self.entries and (not values or self.entries[tag].count != 1):
            raise damaged("TIFF", f"tag {tag} does not hold one number")
        return values[0] if values else default

    def all(self, tag: int, most: int) -> tuple[int, ...]:
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in UNSIGNED:
            return ()
        return tuple(min(int(value), FAR) for value in self.block.values(entry, most))

    def same(self, tag: int, default: int) -> int:
        """The value that all samples share; 0 where they differ."""
        values = set(self.all(tag, MAX_SAMPLES)) or {default}
        return values.pop() if len(values) == 1 else 0

    def array(self, tag: int) -> NDArray[np.int64]:
        entry = self.entries.get(tag)
        if entry is not None and entry.count > MAX_SEGMENTS:
            raise excessive("TIFF", MAX_SEGMENTS, "strips or tiles")
        return np.array(self.all(tag, MAX_SEGMENTS), np.int64)


def _check_kind(layout: Layout) -> None:
    if layout.photometric not in COLORS:
        kind = {-1: "does not say what its colours are", 4: "is a mask"}.get(
            layout.photometric, "is Lab or of another colour space"
        )
        raise unusual("TIFF", kind, SAVE_PLAIN)
    colors, bits = layout.colors, layout.bits
    if bits not in BITS_OF[colors]:
        raise unusual("TIFF", f"has {bits or 'mixed'} bits per sample of {colors}", SAVE_PLAIN)
    surplus = layout.samples - COLOR_SAMPLES[colors]
    fits = surplus >= 0 and (bits >= 8 or surplus == 0) and len(layout.extra) in (surplus, 0)
    if not fits or set(layout.extra[:1]) - {0, 1, 2} or any(layout.extra[1:]):
        raise unusual("TIFF", f"has {layout.samples} samples per pixel of {colors}", SAVE_PLAIN)
    if colors in ("palette", "cmyk", "ycbcr") and any(layout.extra):
        raise unusual("TIFF", f"is {colors} with transparency", SAVE_PLAIN)
    fax_fits = colors == "grey" and bits == 1
    jpeg_fits = bits == 8 and layout.photometric in (BLACK_IS_ZERO, RGB, YCBCR) and not layout.planar and not surplus
    if (layout.compression in FAX and not fax_fits) or (layout.compression == JPEG and not jpeg_fits):
        raise unusual("TIFF", f"is {colors} of {bits} bits in a compression that does not fit", SAVE_PLAIN)
    if colors == "ycbcr" and layout.compression != JPEG:
        raise unusual("TIFF", "is YCbCr without JPEG", SAVE_PLAIN)
    if layout.predictor not in (1, 2) or (layout.predictor == 2 and bits < 8):
        raise unusual("TIFF", f"has predictor {layout.predictor}", SAVE_PLAIN)


def _with_implied_alpha(layout: Layout) -> Layout:
    """RGB of four samples without a word on the fourth is RGBA, as writers of old mean it."""
    surplus = layout.samples - COLOR_SAMPLES[layout.colors]
    if surplus and not layout.extra:
        if layout.photometric != RGB or surplus != 1:
            raise unusual("TIFF", f"does not say what its {surplus} extra samples are", SAVE_PLAIN)
        return replace(layout, extra=(STRAIGHT,))
    return layout


def _check_segments(layout: Layout, file_bytes: int) -> Layout:
    """Every strip or tile lies in the file, and together they are no larger than it."""
    if (
        layout.tile_height < 1
        or layout.tile_width < 1
        or (layout.tiled and (layout.tile_width % 16 or layout.tile_height % 16))
    ):
        raise damaged("TIFF", f"its tiles have {layout.tile_width} x {layout.tile_height} pixels")
    if layout.tile_width > layout.width + 65536 or layout.tile_height > layout.height + 65536:
        raise damaged("TIFF", "its tiles are larger than the photo")
    down, across = layout.grid
    wanted = down * across * layout.planes
    if wanted > MAX_SEGMENTS:
        raise excessive("TIFF", MAX_SEGMENTS, "strips or tiles")
    if not len(layout.offsets) == len(layout.sizes) == wanted:
        raise damaged("TIFF", f"it needs {wanted} strips or tiles and lists {len(layout.offsets)}")
    ends = layout.offsets + layout.sizes
    if (layout.offsets < 8).any() or (layout.sizes <= 0).any() or (ends > file_bytes).any():
        raise damaged("TIFF", "a strip or tile reaches beyond the file's end")
    if layout.sizes.sum() > file_bytes:
        raise damaged("TIFF", "its strips or tiles overlap")
    return layout
