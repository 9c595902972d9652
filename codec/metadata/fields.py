"""Tagged fields, as the directories of EXIF blocks and TIFF files hold them (TIFF 6.0, section 2): kept and written."""

import struct
from collections.abc import Container
from dataclasses import dataclass
from typing import Union

from codec.directory import Block

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 7, 10

UNITS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", RATIONAL: "II", UNDEFINED: "B", SIGNED_RATIONAL: "ii"}
"""Of each field type that is carried: one value's parts, in struct's letters."""

MAX_ENTRIES = 512
"""Of a directory, that are looked at; cameras write fewer than 100."""

HEADER = struct.pack("<2sHI", b"II", 42, 8)
"""Of a little-endian block whose main directory follows at once."""


@dataclass(frozen=True)
class Field:
    """Values of one tag.

    Attributes:
        type: as TIFF numbers them, one of UNITS.
        data: the values, little-endian.
    """

    type: int
    data: bytes

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.data) // struct.calcsize("<" + UNITS[self.type])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The values, a fraction as its two parts."""
        return struct.unpack(f"<{UNITS[self.type] * self.count}", self.data)


Directory = dict[int, Union[Field, "Directory"]]
"""Fields by tag; a directory in a field's place is one that the tag points to."""


def shorts(*values: int) -> Field:
    """A field of unsigned 16-bit numbers."""
    return Field(SHORT, struct.pack(f"<{len(values)}H", *values))


def longs(*values: int) -> Field:
    """A field of unsigned 32-bit numbers."""
    return Field(LONG, struct.pack(f"<{len(values)}I", *values))


def fraction(value: float) -> Field:
    """A field of one unsigned fraction, to a thousandth."""
    return Field(RATIONAL, struct.pack("<II", round(value * 1000), 1000))


def read_fields(block: Block, offset: int, wanted: Container[int], max_bytes: int) -> dict[int, Field]:
    """Fields of one directory: what is damaged, too long, of an unusual type or not wanted is left out.

    Args:
        block: holds the directory.
        offset: of the directory; 0, and whatever lies outside the block, is an empty one.
        wanted: tags to read.
        max_bytes: of the longest field to read.
    """
    if not 8 <= offset <= len(block.data):
        return {}
    fields = {}
    for tag, entry in block.directory(offset, MAX_ENTRIES).entries.items():
        if tag in wanted and entry.kind in UNITS and 0 < entry.count <= max_bytes:
            values = block.values(entry, most=entry.count)
            data = struct.pack("<" + UNITS[entry.kind] * (len(values) // len(UNITS[entry.kind])), *values)
            field = Field(entry.kind, data)
            if field.count == entry.count and len(data) <= max_bytes:
                fields[tag] = field
    return fields


def packed(directory: Directory, start: int) -> bytes:
    """A directory and all that belongs to it, little-endian, to stand at offset ``start`` of its block or file."""
    entries, values = bytearray(), bytearray()
    values_start = start + 2 + 12 * len(directory) + 4
    for tag, field in sorted(directory.items(), key=lambda item: item[0]):
        place = values_start + len(values)
        if isinstance(field, dict):
            values += packed(field, place)
            field = longs(place)
        data = field.data
        if len(data) > 4:
            values += data + bytes(len(data) % 2)  # every value starts at an even offset
            data = struct.pack("<I", place)
        entries += struct.pack("<HHI4s", tag, field.type, field.count, data)
    return struct.pack("<H", len(directory)) + bytes(entries) + bytes(4) + bytes(values)
