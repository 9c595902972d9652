"""Headers say what Pillow says, wherever a file hides it; the library that decodes gets no more than it needs."""

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from codec import webp
from codec.errors import RequestError
from codec.header import Header
from codec.reading import read_header
from codec.upright import turn_upright
from tests.codec.files import (
    PIXELS,
    chunk,
    directory,
    exif,
    raw_profile,
    segment,
    tiff,
    with_chunks,
    with_segments,
    xmp,
)
from tests.kinds import KINDS
from tests.photos import encoded

FILES = {kind.name: kind.file for kind in KINDS}
JPEG, PNG, TIFF, WEBP = (encoded(PIXELS, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP"))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ITXT = b"XML:com.adobe.xmp\0\0\0\0\0"


def header_of(file: bytes) -> Header:
    return read_header(file, max_megapixels=120)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_refused_or_as_large_as_before(name: str) -> None:
    file = FILES[name]
    for length in range(0, len(file), max(1, len(file) // 50)):
        try:
            header = header_of(file[:length])
        except RequestError:
            continue
        assert header.upright_shape == header_of(file).upright_shape


ORIENTED = {
    "jpeg exif": lambda turn: with_segments(JPEG, segment(0xE1, b"Exif\0\0" + exif(turn))),
    "jpeg xmp": lambda turn: with_segments(JPEG, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(turn))),
    "png exif": lambda turn: with_chunks(PNG, chunk(b"eXIf", exif(turn))),
    "png exif behind the pixels": lambda turn: PNG[:-12] + chunk(b"eXIf", exif(turn)) + PNG[-12:],
    "png xmp": lambda turn: with_chunks(PNG, chunk(b"iTXt", ITXT + xmp(turn))),
    "png raw exif": lambda turn: with_chunks(PNG, raw_profile(b"exif", b"Exif\0\0" + exif(turn))),
    "png raw APP1": lambda turn: with_chunks(PNG, raw_profile(b"APP1", b"Exif\0\0" + exif(turn))),
    "png raw xmp": lambda turn: with_chunks(PNG, raw_profile(b"xmp", xmp(turn))),
    "tiff": lambda turn: tiff(PIXELS, extratags=[(0x0112, 3, 1, turn, True)]),
    "tiff xmp": lambda turn: tiff(PIXELS, extratags=[(700, 1, len(xmp(turn)), xmp(turn), True)]),
    "webp exif": lambda turn: encoded(PIXELS, "WEBP", exif=b"Exif\0\0" + exif(turn)),
    "webp xmp": lambda turn: encoded(PIXELS, "WEBP", xmp=xmp(turn)),
}


@pytest.mark.parametrize("place", ORIENTED)
def test_the_orientation_is_found_wherever_it_hides(place: str) -> None:
    assert [header_of(ORIENTED[place](turn)).orientation for turn in range(1, 9)] == list(range(1, 9))


def test_exif_speaks_before_xmp() -> None:
    both = with_chunks(PNG, chunk(b"iTXt", ITXT + xmp(8)), chunk(b"eXIf", exif(6)))
    assert header_of(both).orientation == 6


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [*range(18), 259, 65535])
def test_where_exif_says_nothing_that_can_be_read_xmp_speaks(kind: int, count: int) -> None:
    """As Pillow has it: a tag of an unknown type, or one that is cut off, counts for nothing."""
    entry = struct.pack("<HHIHH", 0x0112, kind, count, 3, 0)
    block = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    file = with_chunks(PNG, chunk(b"iTXt", ITXT + xmp(6)), chunk(b"eXIf", block))
    with warnings.catch_warnings(action="ignore"):
        turned = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    expected = np.zeros(header_of(file).upright_shape, np.uint8)
    turn_upright(PIXELS, header_of(file).orientation, expected)
    np.testing.assert_array_equal(turned, expected)


def test_metadata_of_a_webp_without_their_flag_count_for_nothing() -> None:
    """As libwebp and Pillow have it."""
    file = bytearray(ORIENTED["webp exif"](6))
    assert file[12:16] == b"VP8X" and header_of(bytes(file)).orientation == 6
    file[20] &= ~webp.FLAGS[b"EXIF"]
    assert header_of(bytes(file)).orientation == 1


def test_a_raw_profile_has_its_digits_on_the_fourth_line() -> None:
    """As ImageMagick writes it and Pillow reads it."""
    digits = exif(6).hex().encode()
    turns = [
        header_of(with_chunks(PNG, chunk(b"tEXt", b"Raw profile type exif\0" + text + digits))).orientation
        for text in (b"\nexif\n 44\n", b"exif 44 ", b"\n\nexif\n 44\n")
    ]
    assert turns == [6, 1, 1]


@pytest.mark.parametrize("value", [0, 9, 77, 65535])
def test_an_orientation_that_does_not_exist_is_none(value: int) -> None:
    assert header_of(with_chunks(PNG, chunk(b"eXIf", exif(value)))).orientation == 1


def test_exif_that_declares_more_entries_than_it_holds_is_read_as_far_as_it_goes() -> None:
    block = bytearray(exif(6))
    block[8:10] = struct.pack("<H", 500)
    assert header_of(with_chunks(PNG, chunk(b"eXIf", bytes(block)))).orientation == 6


def test_exif_that_calls_itself_bigtiff_is_not_read_as_classic_tiff() -> None:
    """As Pillow reads it; EXIF is classic TIFF (EXIF 2.32, section 4.5.2)."""
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0)
    turns = [
        header_of(with_chunks(PNG, chunk(b"eXIf", signature + struct.pack(">I", 8) + entry + bytes(4)))).orientation
        for signature in (b"MM\0*", b"MM\0+")
    ]
    assert turns == [6, 1]


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_turning_upright_is_pillows(turn: int, kind: type) -> None:
    file = ORIENTED["png exif"](turn)
    out = np.zeros(header_of(file).upright_shape, kind)
    turn_upright(PIXELS.astype(kind), turn, out)
    np.testing.assert_array_equal(out, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file)))))


def test_a_photo_of_another_size_or_type_than_the_header_says_is_no_photo() -> None:
    for out in (np.zeros((43, 62, 3), np.uint8), np.zeros((43, 61, 4), np.uint8), np.zeros((43, 61, 3), np.uint16)):
        with pytest.raises(ValueError, match="not"):
            turn_upright(PIXELS, 1, out)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_metadata_is_handed_on_and_hidden_from_the_decoder(kind: str) -> None:
    secret = b"the photographer's address"
    block = Image.Exif()
    block[0x010E] = secret.decode()
    file = encoded(PIXELS, kind, exif=block, icc_profile=PROFILE, dpi=(300, 200), xmp=xmp(1))
    header = header_of(file)
    assert secret in bytes(header.metadata.exif)
    assert header.metadata.icc == PROFILE
    if kind != "WEBP":  # which has no resolution of its own
        assert header.metadata.dpi == pytest.approx((300, 200), abs=0.1)
    if kind in ("JPEG", "WEBP"):  # Pillow writes no XMP into the others
        assert header.metadata.xmp == xmp(1)
    left = b"".join(header.pieces)
    assert secret not in left and PROFILE[:64] not in left and b"meta" not in left


def test_a_profile_in_pieces_is_put_together_and_an_incomplete_one_is_none() -> None:
    profile = bytes(range(256)) * 1000
    pieces = [segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, 4]) + profile[n * 64000 :][:64000]) for n in range(4)]
    assert header_of(with_segments(JPEG, *reversed(pieces))).metadata.icc == profile
    assert header_of(with_segments(JPEG, *pieces[:3])).metadata.icc == b""


def test_what_follows_the_first_picture_of_a_jpeg_is_left_out() -> None:
    assert b"".join(header_of(JPEG + b"thumbnail" + JPEG).pieces) == b"".join(header_of(JPEG).pieces)


def test_a_thumbnail_behind_a_tiff_is_no_second_picture() -> None:
    for subfile, pages in ((1, 1), (0, 2)):
        where = len(TIFF) + len(TIFF) % 2
        second = directory([(254, 4, 1, subfile), (256, 3, 1, 8), (257, 3, 1, 8)])
        link = struct.unpack_from("<I", TIFF, 4)[0]
        entries = struct.unpack_from("<H", TIFF, link)[0]
        file = bytearray(TIFF.ljust(where, b"\0") + second)
        struct.pack_into("<I", file, link + 2 + 12 * entries, where)
        if pages == 1:
            assert header_of(bytes(file)).width_px == 61
        else:
            with pytest.raises(RequestError, match="2 pictures"):
                header_of(bytes(file))
