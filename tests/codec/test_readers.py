"""Every kind of file is read as Pillow reads it, or as what went into it; other kinds are refused by name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from codec.errors import RequestError
from codec.header import Header
from codec.readers import read_with_pillow, reader
from codec.reading import read_header
from codec.upright import turn_upright
from tests.codec.files import ALPHA, DEEP, DEEP_RGBA, PIXELS, RGBA, layouts, tiff
from tests.fuzz.structure import webp_file, webp_parts
from tests.kinds import KINDS, Kind
from tests.photos import decoded, encoded, photo

TWO_PAGES = {"save_all": True, "append_images": [Image.fromarray(255 - PIXELS)]}
LAYOUTS = layouts()


def read(file: bytes) -> tuple[Header, NDArray[Any]]:
    """Without a worker, and so without DALI, in whose place Pillow reads JPEG."""
    header = read_header(file, max_megapixels=120)
    return header, reader(header, read_with_pillow)(memoryview(b"".join(header.pieces)), header)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_left_of_a_file_decodes_to_its_pixels(kind: Kind) -> None:
    header, stored = read(kind.file)
    upright = np.zeros(header.upright_shape, stored.dtype)
    turn_upright(stored, header.orientation, upright)
    assert (header.format, header.bits) == (kind.format, kind.pixels.itemsize * 8)
    np.testing.assert_array_equal(upright, kind.pixels)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_of_a_tiff_is_read_exactly(name: str) -> None:
    file, expected = LAYOUTS[name]
    np.testing.assert_array_equal(read(file)[1], expected)


@pytest.mark.parametrize("deep", [False, True])
def test_premultiplied_alpha_is_divided_out(deep: bool) -> None:
    straight = DEEP_RGBA if deep else RGBA
    share = ALPHA[..., None] / 255
    colors = np.round(straight[..., :3] * share).astype(straight.dtype)
    file = tiff(np.dstack([colors, straight[..., 3]]), extrasamples=["assocalpha"])
    _, pixels = read(file)
    np.testing.assert_array_equal(pixels[..., 3], straight[..., 3])
    error = np.abs(pixels[..., :3] - straight[..., :3].astype(float)) * share
    assert error.max() <= 1  # as exact as what was multiplied


def test_16_bit_ink_becomes_colour_as_8_bit_ink_does() -> None:
    ink = np.dstack([DEEP, DEEP[..., ::-1][..., 0] // 3])
    _, deep = read(tiff(ink, photometric="separated"))
    _, plain = read(tiff((ink // 257).astype(np.uint8), photometric="separated"))
    assert np.abs(deep / 257 - plain).max() < 3


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (tiff(DEEP.astype(np.float32)), "no unsigned whole numbers"),
        (tiff(DEEP.astype(np.int16)), "no unsigned whole numbers"),
        (tiff(DEEP.astype(np.uint32)), "32 bits per sample"),
        (tiff(PIXELS, photometric="cielab"), "is Lab"),
        (tiff(PIXELS, photometric=6), "YCbCr without JPEG"),
        (encoded(Image.fromarray(PIXELS).convert("F"), "TIFF"), "no unsigned whole numbers"),
        *((encoded(Image.fromarray(PIXELS), kind, **TWO_PAGES), "2 pictures") for kind in ("TIFF", "PNG", "WEBP")),
    ],
)
def test_other_layouts_are_refused_by_name(file: bytes, reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        read_header(file, max_megapixels=120)


def test_a_webp_keeps_its_padding_from_which_libwebp_reads_on() -> None:
    """The bitstream lacks its last byte, and the last pixel comes from what follows."""
    (picture,) = webp_parts(encoded(photo(61, 43, seed=5), "WEBP", lossless=True))
    assert len(picture.data) % 2 == 0
    unpadded = webp_file([replace(picture, data=picture.data[:-1])])[:-1]
    files = [unpadded + padding for padding in (b"\0", b"\x18")]
    last = [read(file)[1][-1, -1].tolist() for file in files]
    assert last == [decoded(file)[-1, -1].tolist() for file in files] and last[0] != last[1]
