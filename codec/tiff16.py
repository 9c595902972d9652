"""TIFF files of 16 bits: Pillow's libtiff undoes the compression, the rest is arrays.

Pillow keeps 8 bits of colours, and libtiff's decoders give bytes: so each plane of a file is shown to it as grey bytes
in strips or tiles of the same lengths, and what the bytes mean is decided here.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codec import tiff_layout as tags
from codec.directory import Block
from codec.header import Header
from codec.tiff import SHORT, tiff_file
from codec.tiff_layout import Layout, read_layout

FULL = 0xFFFF
STRIP_ROWS = 256  # rows converted at once: intermediate values stay small


def read_tiff16(file: memoryview, _header: Header) -> NDArray[np.uint16]:
    """RGB or RGBA, straight alpha, of a file as codec.tiff.parse rewrites it."""
    block = Block(file)
    layout = read_layout(block, block.directory(block.first))
    stored = np.concatenate([_plane(block, layout, plane) for plane in range(layout.planes)], axis=2)
    channels = 3 if layout.alpha == tags.IGNORED else 4
    photo = np.empty((layout.height, layout.width, channels), np.uint16)
    for top in range(0, layout.height, STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        photo[rows] = _colors(stored[rows], layout)
    return photo


def _plane(block: Block, layout: Layout, plane: int) -> NDArray[np.uint16]:
    """(height, width, samples of this plane) as stored, byte order and predictor undone."""
    down, across = layout.grid
    samples = layout.samples // layout.planes
    tile_bytes = 2 * samples * layout.tile_width  # of one row
    first = plane * down * across
    segments = [
        block.data[offset : offset + size]
        for offset, size in zip(
            layout.offsets[first : first + down * across], layout.sizes[first : first + down * across], strict=True
        )
    ]
    described = {
        tags.PHOTOMETRIC: (SHORT, [tags.BLACK_IS_ZERO]),
        tags.BITS: (SHORT, [8]),
        tags.SAMPLES: (SHORT, [1]),
    }
    file = b"".join(tiff_file(layout, across * tile_bytes, tile_bytes, described, segments, "<"))
    grey = Image.open(io.BytesIO(file), formats=["tiff"])
    values = np.asarray(grey).view(block.order + "u2").astype(np.uint16)
    tiles = values.reshape(layout.height, across, layout.tile_width, samples)
    if layout.predictor == 2:
        np.cumsum(tiles, axis=2, dtype=np.uint16, out=tiles)
    return tiles.reshape(layout.height, -1, samples)[:, : layout.width]


def _colors(stored: NDArray[np.uint16], layout: Layout) -> NDArray[Any]:
    """Samples as stored to RGB or RGBA."""
    if layout.colors == "cmyk":
        ink = FULL - stored[..., :4].astype(np.uint64)
        return ((ink[..., :3] * ink[..., 3:] + FULL // 2) // FULL).astype(np.uint16)
    count = tags.COLOR_SAMPLES[layout.colors]
    colors = stored[..., :count]
    if layout.photometric == tags.WHITE_IS_ZERO:
        colors = FULL - colors
    if count == 1:
        colors = np.repeat(colors, 3, axis=2)
    if layout.alpha == tags.IGNORED:
        return colors
    alpha = stored[..., count : count + 1]
    return np.concatenate([_unassociated(colors, alpha) if layout.alpha == tags.ASSOCIATED else colors, alpha], axis=2)


def _unassociated(colors: NDArray[np.uint16], alpha: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Colours that were multiplied by alpha, divided by it; where nothing shows they stay."""
    divisor = np.maximum(alpha, 1).astype(np.uint64)
    straight = np.minimum((colors.astype(np.uint64) * FULL + divisor // 2) // divisor, FULL)
    return np.where(alpha == 0, colors, straight).astype(np.uint16)
