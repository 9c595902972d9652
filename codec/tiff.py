"""TIFF files (TIFF 6.0, BigTIFF): one directory, rewritten without what no decoder needs."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from codec import tiff_layout as tags
from codec.directory import Block, Directory, MalformedError
from codec.header import Header, Metadata
from codec.orientation import orientation
from codec.refusals import damaged, excessive, several
from codec.tiff_layout import Layout, read_layout

MAX_DIRECTORIES = 8
MAX_ENTRIES = 1000
MAX_METADATA_BYTES = 4 << 20
NEW_SUBFILE_TYPE, XMP, ICC = 254, 700, 34675
REDUCED = 1  # flag of NEW_SUBFILE_TYPE: a thumbnail of another picture in the file

SHORT, LONG = 3, 4
KEPT = (tags.FILL_ORDER, tags.T4_OPTIONS, tags.T6_OPTIONS, tags.COLOR_MAP, tags.JPEG_TABLES, tags.YCBCR_SUBSAMPLING)
MAX_VALUES = 1 << 16
KEPT_KINDS = {1: "B", SHORT: "H", LONG: "I", 7: "B"}
Values = tuple[int, Sequence[int]]  # TIFF type and numbers


def parse(file: memoryview) -> Header:
    """Header of a TIFF file. Its pieces are a file of one directory that holds the layout alone, and the samples.

    Raises:
        RequestError: as codec.reading.read_header.
    """
    try:
        block = Block(file)
        directory = _only_directory(block)
    except MalformedError as error:
        raise damaged("TIFF", str(error)) from None
    layout = read_layout(block, directory)
    palette = directory.entries.get(tags.COLOR_MAP)
    if layout.colors == "palette" and (palette is None or palette.count != 3 << layout.bits):
        raise damaged("TIFF", "its palette makes no sense")
    xmp = block.raw(directory.entries.get(XMP), MAX_METADATA_BYTES)
    icc = block.raw(directory.entries.get(ICC), MAX_METADATA_BYTES)
    return Header(
        "tiff", layout.width, layout.height, 16 if layout.bits == 16 else 8, layout.colors,
        alpha=layout.alpha != tags.IGNORED,
        orientation=orientation(file, xmp),
        metadata=Metadata(file, icc, xmp, block.resolution(directory.entries)),
        pieces=_rewritten(block, directory, layout),
    )  # fmt: skip


def _only_directory(block: Block) -> Directory:
    """The first directory; those behind it may hold thumbnails of it and nothing else."""
    first = directory = block.directory(block.first, MAX_ENTRIES)
    pictures, seen = 1, 1
    while directory.next:
        seen += 1
        if seen > MAX_DIRECTORIES:
            raise excessive("TIFF", MAX_DIRECTORIES, "directories")
        directory = block.directory(directory.next, MAX_ENTRIES)
        kind = block.values(directory.entries.get(NEW_SUBFILE_TYPE)) or (0,)
        pictures += not int(kind[0]) & REDUCED
    if pictures > 1:
        raise several("TIFF", pictures)
    if not first.complete:
        raise damaged("TIFF", "its directory is cut off or too long")
    if first.repeated:
        raise damaged("TIFF", f"tag {min(first.repeated)} comes twice")
    return first


def _rewritten(block: Block, directory: Directory, layout: Layout) -> tuple[bytes | memoryview, ...]:
    """Samples keep their byte order, and so does the new directory."""
    kept: dict[int, Values] = {}
    for tag in KEPT:
        entry = directory.entries.get(tag)
        if entry is not None and entry.kind in KEPT_KINDS and entry.count <= MAX_VALUES:
            kept[tag] = (entry.kind, [int(value) for value in block.values(entry, MAX_VALUES)])
    if layout.extra:
        kept[tags.EXTRA_SAMPLES] = (SHORT, layout.extra)
    samples = [block.data[start : start + size] for start, size in zip(layout.offsets, layout.sizes, strict=True)]
    described = {
        tags.PHOTOMETRIC: (SHORT, [layout.photometric]),
        tags.BITS: (SHORT, [layout.bits] * layout.samples),
        tags.SAMPLES: (SHORT, [layout.samples]),
        tags.PLANAR: (SHORT, [2 if layout.planar else 1]),
        tags.PREDICTOR: (SHORT, [layout.predictor]),
    }
    return tiff_file(layout, layout.width, layout.tile_width, kept | described, samples, block.order)


def tiff_file(
    layout: Layout,
    width: int,
    tile_width: int,
    described: Mapping[int, Values],
    samples: Sequence[bytes | memoryview],
    order: str,
) -> tuple[bytes | memoryview, ...]:
    """A classic TIFF file of one picture in strips or tiles as a layout has them.

    Args:
        layout: where height, compression and the grid come from.
        width: in pixels, in place of the layout's.
        tile_width: likewise.
        described: what the samples mean, by tag.
        samples: the compressed strips or tiles.
        order: "<" or ">".
    """
    sizes = [len(each) for each in samples]
    grid: dict[int, Values] = {
        tags.WIDTH: (LONG, [width]),
        tags.HEIGHT: (LONG, [layout.height]),
        tags.COMPRESSION: (SHORT, [layout.compression]),
        tags.TILE_BYTES if layout.tiled else tags.STRIP_BYTES: (LONG, sizes),
        tags.TILE_OFFSETS if layout.tiled else tags.STRIP_OFFSETS: (LONG, [0] * len(sizes)),
    }
    if layout.tiled:
        grid |= {tags.TILE_WIDTH: (LONG, [tile_width]), tags.TILE_HEIGHT: (LONG, [layout.tile_height])}
    else:
        grid[tags.ROWS_PER_STRIP] = (LONG, [layout.tile_height])
    entries = {**described, **grid}
    start = len(_directory(entries, order))
    offsets = start + np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)])
    entries[tags.TILE_OFFSETS if layout.tiled else tags.STRIP_OFFSETS] = (LONG, offsets.tolist())
    return (_directory(entries, order), *samples)


def _directory(entries: Mapping[int, Values], order: str) -> bytes:
    """The file's header and its directory, values that do not fit into an entry behind it."""
    signature = b"II*\0" if order == "<" else b"MM\0*"
    at = 8 + 2 + 12 * len(entries) + 4
    table, behind = [], []
    for tag, (kind, values) in sorted(entries.items()):
        data = struct.pack(f"{order}{len(values)}{KEPT_KINDS[kind]}", *values)
        if len(data) > 4:
            data += b"\0" * (len(data) % 2)
            behind.append(data)
            pointer, at = struct.pack(order + "I", at), at + len(data)
        else:
            pointer = data.ljust(4, b"\0")
        table.append(struct.pack(order + "HHI", tag, kind, len(values)) + pointer)
    head = signature + struct.pack(order + "IH", 8, len(entries))
    return head + b"".join(table) + bytes(4) + b"".join(behind)
