"""EXIF by allow-list (EXIF 2.32, sections 4.6.4 to 4.6.7): what a photographer would miss, and nothing else.

A block is never passed on as it came: tags about the stored pixels would contradict the edited file, and some writers
obey them. Maker notes hold offsets of their own and cannot move; thumbnails show the photo before its edit.
"""

from codec.directory import Block, MalformedError
from codec.metadata.fields import (
    ASCII,
    BYTE,
    HEADER,
    LONG,
    RATIONAL,
    SHORT,
    SIGNED_RATIONAL,
    UNDEFINED,
    Directory,
    Field,
    fraction,
    longs,
    packed,
    read_fields,
    shorts,
)

MAX_BLOCK_BYTES = 60_000
"""A JPEG's segment holds 65,533 bytes; the same bound everywhere makes the answer's EXIF alike in every format."""

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
VERSION, WIDTH, HEIGHT = 0x9000, 0xA002, 0xA003
UPRIGHT = 1
INCH = 2

TEXT, BYTES, WHOLE = frozenset({ASCII}), frozenset({BYTE, UNDEFINED}), frozenset({SHORT, LONG})
FRACTIONS = frozenset({RATIONAL, SIGNED_RATIONAL})
MAX_FIELD_BYTES = {TEXT: 8192, BYTES: 8192, WHOLE: 64, FRACTIONS: 64}


def _kinds(**tags: str) -> dict[int, frozenset[int]]:
    kinds = {"text": TEXT, "bytes": BYTES, "whole": WHOLE, "fractions": FRACTIONS}
    return {int(tag, 16): kinds[kind] for kind, listed in tags.items() for tag in listed.split()}


MAIN_TAGS = _kinds(
    # document, description, make, model, software, date, artist, host, copyright
    text="010D 010E 010F 0110 0131 0132 013B 013C 8298",
    whole="4746 4749",  # rating, in stars and percent
    bytes="9C9B 9C9C 9C9D 9C9E 9C9F",  # Windows: title, comment, author, keywords, subject
)
EXIF_TAGS = _kinds(
    # dates, their offsets and fractions of seconds; unique ID, owner, serial numbers, lens
    text="9003 9004 9010 9011 9012 9290 9291 9292 A420 A430 A431 A433 A434 A435",
    bytes="9000 9286 A000 A300 A301",  # version, user comment, FlashPix version, file source, scene type
    # program, sensitivities, metering, light, flash; colour space, sensing method, custom rendering, exposure mode,
    # white balance, focal length in 35 mm, scene, gain, contrast, saturation, sharpness, distance range
    whole="8822 8827 8830 8831 8832 8833 9207 9208 9209 A001 A217 A401 A402 A403 A405 A406 A407 A408 A409 A40A A40C",
    # exposure time, f-number, shutter speed, aperture, brightness, bias, widest aperture, distance, focal length;
    # exposure index, zoom, lens specification, gamma
    fractions="829A 829D 9201 9202 9203 9204 9205 9206 920A A215 A404 A432 A500",
)
GPS_TAGS = _kinds(
    text="01 03 08 09 0A 0C 0E 10 12 13 15 17 19 1D",
    bytes="00 05 1B 1C",
    whole="1E",
    fractions="02 04 06 07 0B 0D 0F 11 14 16 18 1A 1F",
)
INTEROPERABILITY_TAGS = _kinds(text="01", bytes="02")


def carried_exif(exif: bytes | memoryview, width_px: int, height_px: int) -> Directory:
    """What an edited photo keeps of a photo's EXIF; empty where there is none, never an error.

    Args:
        exif: a block of either byte order, without its name in front, or a TIFF file; trusted in nothing.
        width_px: of the edited photo, upright.
        height_px: as width_px.
    """
    try:
        block = Block(exif)
    except MalformedError:
        return {}
    main = _allowed(block, block.first, MAIN_TAGS)
    photo_at = _pointer(block, block.first, EXIF)
    photo = _allowed(block, photo_at, EXIF_TAGS)
    gps = _allowed(block, _pointer(block, block.first, GPS), GPS_TAGS)
    interoperability = _allowed(block, _pointer(block, photo_at, INTEROPERABILITY), INTEROPERABILITY_TAGS)
    if not (main or photo or gps):
        return {}
    photo = {VERSION: Field(UNDEFINED, b"0232"), **photo, WIDTH: longs(width_px), HEIGHT: longs(height_px)}
    if interoperability:
        photo[INTEROPERABILITY] = interoperability
    main |= {ORIENTATION: shorts(UPRIGHT), EXIF: photo}
    if gps:
        main[GPS] = gps
    while len(packed(main, len(HEADER))) > MAX_BLOCK_BYTES:
        _drop_longest(main)
    return main


def resolution(exif: bytes | memoryview) -> tuple[float, float] | None:
    """What a block says of dots per inch, across and down; None where it does not."""
    try:
        block = Block(exif)
        return block.resolution(block.directory(block.first).entries)
    except MalformedError:
        return None


def with_resolution(exif: Directory, dpi: tuple[float, float] | None) -> Directory:
    """The directory with the fields of a resolution in dots per inch."""
    if dpi is None:
        return exif
    resolution = {X_RESOLUTION: fraction(dpi[0]), Y_RESOLUTION: fraction(dpi[1]), RESOLUTION_UNIT: shorts(INCH)}
    return {**exif, **resolution}


def exif_block(exif: Directory, dpi: tuple[float, float] | None) -> bytes:
    """The block that JPEG, PNG and WebP embed; empty where nothing is carried."""
    return HEADER + packed(with_resolution(exif, dpi), len(HEADER)) if exif else b""


def _allowed(block: Block, offset: int, tags: dict[int, frozenset[int]]) -> Directory:
    fields = read_fields(block, offset, tags, max(MAX_FIELD_BYTES.values()))
    return {
        tag: _ended(field)
        for tag, field in fields.items()
        if field.type in tags[tag] and len(field.data) <= MAX_FIELD_BYTES[tags[tag]]
    }


def _ended(field: Field) -> Field:
    """Text ends with a zero byte; some writers leave it out."""
    return Field(ASCII, field.data.rstrip(b"\0") + b"\0") if field.type == ASCII else field


def _pointer(block: Block, offset: int, tag: int) -> int:
    """Offset of the directory that a tag points to; 0 where there is none."""
    field = read_fields(block, offset, {tag}, 4).get(tag)
    return field.numbers[0] if field and field.type == LONG else 0


def _drop_longest(main: Directory) -> None:
    """Take the longest field out of a directory or the directories that it points to."""
    places = [main, *(field for field in main.values() if isinstance(field, dict))]
    longest = [
        (len(field.data), tag, place) for place in places for tag, field in place.items() if isinstance(field, Field)
    ]
    _, tag, place = max(longest, key=lambda each: each[0])
    del place[tag]
