"""What an edited photo keeps of a photo's metadata: an allow-list, upright, of a bounded size, whatever comes in."""

import random
import struct

import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from codec.header import Header, Metadata
from codec.metadata.carried import Carried, carried
from codec.metadata.exif import MAX_BLOCK_BYTES, carried_exif, exif_block
from codec.metadata.profile import rgb_profile
from codec.metadata.xmp import MAX_BYTES, carried_xmp

WIDTH, HEIGHT = 640, 480
STRUCTURE = (0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x0142, 0x0143, 0x0144, 0x0145)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NAMESPACES = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'


def camera_exif(order: str = "<") -> bytes:
    """A block as a phone writes it, with everything that must not travel."""
    exif = Image.Exif()
    exif.endian = order
    exif.update(
        {0x010F: "Maker", 0x0110: "Model 5", 0x0112: 6, 0x0131: "Editor", 0x8298: "Studio", 0x013B: "Ana Muñoz"}
    )
    exif.update({tag: 25_000_000 if tag in (0x0101, 0x0116) else 9 for tag in STRUCTURE})
    exif.get_ifd(0x8769).update(
        {
            0x829A: IFDRational(1, 125), 0x829D: IFDRational(28, 10), 0x8827: 400, 0x9003: "2026:11:20 10:00:00",
            0x920A: IFDRational(24), 0xA434: "24 mm f/2.8", 0x9204: IFDRational(-2, 3), 0xA002: 9999, 0xA003: 1,
            0x927C: b"maker notes with offsets", 0xA405: 24,
        }
    )  # fmt: skip
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.5), 3: "E", 4: (11.0, 34.0, 31.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def read(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


def kept(block: bytes) -> Image.Exif:
    return read(exif_block(carried_exif(block, WIDTH, HEIGHT), None))


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_keeps_what_is_allowed(order: str) -> None:
    exif = kept(camera_exif(order))
    photo, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert [exif[tag] for tag in (0x010F, 0x0110, 0x0131, 0x8298)] == ["Maker", "Model 5", "Editor", "Studio"]
    assert [photo[tag] for tag in (0x829A, 0x829D, 0x8827, 0x920A, 0x9204)] == [
        1 / 125,
        2.8,
        400,
        24,
        IFDRational(-2, 3),
    ]
    assert (photo[0x9003], photo[0xA434]) == ("2026:11:20 10:00:00", "24 mm f/2.8")
    assert (gps[1], gps[2], gps[3], gps[4]) == ("N", (48.0, 8.0, 14.5), "E", (11.0, 34.0, 31.0))


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_describes_the_edited_photo(order: str) -> None:
    exif = kept(camera_exif(order))
    assert exif[0x0112] == 1
    assert (exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003]) == (WIDTH, HEIGHT)
    assert not set(exif) & set(STRUCTURE)
    assert 0x927C not in exif.get_ifd(0x8769)
    assert not exif.get_ifd(1), "a thumbnail of the photo before its edit"


def test_exif_of_a_tag_with_a_wrong_type_is_left_out() -> None:
    make = struct.pack("<HHI4s", 0x010F, 3, 1, b"\1\0\0\0")
    model = struct.pack("<HHI4s", 0x0110, 2, 4, b"Cam\0")
    block = b"II*\0" + struct.pack("<IH", 8, 2) + make + model + bytes(4)
    assert set(carried_exif(block, WIDTH, HEIGHT)) == {0x0110, 0x0112, 0x8769}


@pytest.mark.parametrize("block", [b"", b"nonsense", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"])
def test_exif_that_is_damaged_is_left_out(block: bytes) -> None:
    assert carried_exif(block, WIDTH, HEIGHT) == {}
    assert exif_block({}, (300, 300)) == b""


def test_exif_stays_bounded_when_its_values_overlap() -> None:
    """Every text tag, in all directories, points at the same 8 KB."""
    tags = [0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298]
    pointer = struct.pack("<HHII", 0x8769, 4, 1, 8)  # at the directory itself
    entries = b"".join(struct.pack("<HHII", tag, 2, 8000, 200) for tag in tags)
    block = b"II*\0" + struct.pack("<IH", 8, len(tags) + 1) + entries + pointer + bytes(100) + b"x" * 8200
    written = exif_block(carried_exif(block, WIDTH, HEIGHT), (72, 72))
    assert len(written) <= MAX_BLOCK_BYTES + 100
    assert read(written)[0x0112] == 1


def test_exif_that_is_mutated_never_raises_and_never_grows() -> None:
    """Whatever bytes come in, what goes out is a block that Pillow reads, upright and bounded."""
    chance = random.Random(15)
    for block in (camera_exif("<"), camera_exif(">")):
        for _ in range(1500):
            mutated = bytearray(block)
            for _ in range(chance.randint(1, 8)):
                mutated[chance.randrange(len(mutated))] = chance.choice((0, 1, 2, 8, 255, chance.randrange(256)))
            written = exif_block(carried_exif(bytes(mutated[: chance.randint(8, len(mutated))]), WIDTH, HEIGHT), None)
            assert len(written) <= MAX_BLOCK_BYTES
            if written:
                assert read(written)[0x0112] == 1
                assert not set(read(written)) & set(STRUCTURE)


def test_profiles_of_rgb_travel() -> None:
    assert rgb_profile(SRGB) == SRGB
    assert rgb_profile(SRGB + b"padding") == SRGB


@pytest.mark.parametrize(
    ("what", "damage"),
    {
        "CMYK": lambda icc: icc[:16] + b"CMYK" + icc[20:],
        "grey": lambda icc: icc[:16] + b"GRAY" + icc[20:],
        "a device link": lambda icc: icc[:12] + b"link" + icc[16:],
        "cut": lambda icc: icc[:-1],
        "another signature": lambda icc: icc[:36] + b"abcd" + icc[40:],
        "a tag outside": lambda icc: icc[:136] + b"\xff\xff\xff\xff" + icc[140:],
        "a million tags": lambda icc: icc[:128] + struct.pack(">I", 1_000_000) + icc[132:],
        "text": lambda icc: b"profile",
        "nothing": lambda icc: b"",
        "5 MB": lambda icc: struct.pack(">I", 5 << 20) + icc[4:] + bytes((5 << 20) - len(icc)),
    }.items(),
)  # fmt: skip
def test_other_profiles_do_not(what: str, damage) -> None:  # noqa: ANN001
    assert rgb_profile(damage(SRGB)) == b"", what


def packet(body: str) -> bytes:
    description = f"<rdf:Description {NAMESPACES} {body}</rdf:Description>"
    rdf = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{description}</rdf:RDF>'
    return (
        f'<?xpacket begin="\ufeff"?><x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta><?xpacket end="w"?>'.encode()
    )


@pytest.mark.parametrize(
    "hidden",
    [
        'tiff:Orientation="6">',
        "tiff:Orientation = '6'>",
        "><tiff:Orientation>6</tiff:Orientation>",
        "><tiff:Orientation >6</tiff:Orientation>",
        'tiff:Orientation="6"><tiff:Orientation>8</tiff:Orientation>',
        '><t:Orientation xmlns:t="http://ns.adobe.com/tiff/1.0/">6</t:Orientation>',
        '><Orientation xmlns="http://ns.adobe.com/tiff/1.0/">6</Orientation>',
        "><tiff:Orientation rdf:parseType='Resource'><rdf:value>6</rdf:value></tiff:Orientation>",
        "tiff:Orientation\n=\n\"&#54;\">",
    ],
)  # fmt: skip
def test_xmp_says_upright_or_is_left_out(hidden: str) -> None:
    written = carried_xmp(packet(hidden), WIDTH, HEIGHT)
    assert b"6</" not in written and b'"6"' not in written and b"54" not in written
    assert not written or b"Orientation" in written


def test_xmp_describes_the_edited_photo_and_keeps_the_rest() -> None:
    written = carried_xmp(
        packet('tiff:ImageWidth="1" exif:PixelYDimension="2"><tiff:Make>Maker</tiff:Make>'), WIDTH, HEIGHT
    )
    assert written == packet(f'tiff:ImageWidth="{WIDTH}" exif:PixelYDimension="{HEIGHT}"><tiff:Make>Maker</tiff:Make>')


@pytest.mark.parametrize(
    "unsound",
    [
        b"", b"no XML", b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<a>" * 5000 + b"</a>" * 5000 + b"<",
        b"<a>" + b"x" * MAX_BYTES + b"</a>", b'<?xml version="1.0" encoding="nonsense"?><a/>', "<a/>".encode("utf-16"),
    ],
)  # fmt: skip
def test_unsound_xmp_is_left_out(unsound: bytes) -> None:
    assert carried_xmp(unsound, WIDTH, HEIGHT) == b""


def test_deeply_nested_xmp_is_no_trouble() -> None:
    deep = b"<a>" * 9000 + b"</a>" * 9000
    assert carried_xmp(deep, WIDTH, HEIGHT) == deep


def source(**found: object) -> Header:
    return Header("jpeg", WIDTH, HEIGHT, 8, found.pop("colors", "rgb"), metadata=Metadata(**found), orientation=6)  # type: ignore[arg-type]


def test_a_cmyk_photo_leaves_its_profile() -> None:
    assert carried(source(icc=SRGB)).profile == SRGB
    assert carried(source(icc=SRGB, colors="cmyk")).profile == b""


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [
        ((300.0, 240.0), (240.0, 300.0)),
        ((0.0, 300.0), None),
        ((1e12, 300.0), None),
        ((float("nan"), 300.0), None),
        (None, None),
    ],
)
def test_resolutions_are_sane_and_turned_with_the_photo(dpi: object, expected: object) -> None:
    assert carried(source(dpi=dpi)).dpi == expected


def test_the_resolution_of_exif_counts_where_the_file_has_none() -> None:
    exif = Image.Exif()
    exif.update({0x011A: IFDRational(118, 1), 0x011B: IFDRational(118, 1), 0x0128: 3})
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    assert carried(source(exif=block)).dpi == pytest.approx((299.72, 299.72))
    assert carried(source(exif=block, dpi=(72.0, 72.0))).dpi == (72.0, 72.0)


def test_nothing_in_nothing_out() -> None:
    assert carried(source()) == Carried()
