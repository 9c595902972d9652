"""Bounded reading of TIFF directories (TIFF 6.0, section 2; BigTIFF).

TIFF photos have them, and so have EXIF blocks.
"""

import struct
from dataclasses import dataclass, field

SIGNATURES = {
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}
CODES = {
    1: "B",
    2: "B",
    3: "H",
    4: "I",
    5: "II",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    10: "ii",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
}
WHOLE_NUMBERS = (3, 4, 6, 8, 9, 13, 16)
RATIONALS = (5, 10)

ORIENTATION = 0x0112
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
PER_INCH = {2: 1.0, 3: 2.54}  # TIFF 6.0, ResolutionUnit: inch, centimetre


class MalformedError(Exception):
    """No TIFF structure, or one that points beyond its end."""


@dataclass(frozen=True)
class Entry:
    """A tag's values, not read yet: their TIFF type, how many, and where in the block."""

    kind: int
    count: int
    offset: int


@dataclass(frozen=True)
class Directory:
    """One directory of a block.

    Attributes:
        entries: by tag; of a tag that comes twice, the last.
        repeated: tags that come more than once.
        complete: whether the block holds as many entries as the directory declares.
        next: offset of the next directory, 0 after the last.
    """

    entries: dict[int, Entry] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset()
    complete: bool = True
    next: int = 0


class Block:
    """A TIFF structure in memory.

    Args:
        data: from its signature on.

    Raises:
        MalformedError: no TIFF signature, or too short for the header behind it.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)
        signature = bytes(self.data[:4])
        if signature not in SIGNATURES:
            raise MalformedError("no TIFF signature")
        self.order, self.big = SIGNATURES[signature]
        self._count, self._entry, self._pointer = ("Q", "HHQ8s", "Q") if self.big else ("H", "HHI4s", "I")
        try:
            (self.first,) = struct.unpack_from(self.order + self._pointer, self.data, 8 if self.big else 4)
        except struct.error:
            raise MalformedError("no TIFF header") from None

    def directory(self, offset: int, most_entries: int = 0xFFFF) -> Directory:
        """The directory at an offset: as many of its entries as the block holds, and as are wanted at most.

        Raises:
            MalformedError: the offset lies beyond the block.
        """
        if not 8 <= offset <= len(self.data):
            raise MalformedError("a directory lies beyond the file")
        try:
            (declared,) = struct.unpack_from(self.order + self._count, self.data, offset)
        except struct.error:
            return Directory(complete=False)
        start, layout = offset + struct.calcsize("=" + self._count), struct.Struct(self.order + self._entry)
        held = min(declared, most_entries, (len(self.data) - start) // layout.size)
        entries: dict[int, Entry] = {}
        repeated = set()
        value_at = start + layout.size - struct.calcsize("=" + self._pointer)
        for tag, kind, count, _ in layout.iter_unpack(self.data[start : start + held * layout.size]):
            if tag in entries:
                repeated.add(tag)
            entries[tag] = Entry(kind, count, self._values_at(kind, count, value_at))
            value_at += layout.size
        end = start + held * layout.size
        following = bytes(self.data[end : end + struct.calcsize("=" + self._pointer)])
        complete = held == declared
        chained = complete and len(following) == struct.calcsize("=" + self._pointer)
        (next_offset,) = struct.unpack(self.order + self._pointer, following) if chained else (0,)
        return Directory(entries, frozenset(repeated), complete, next_offset)

    def values(self, entry: Entry | None, most: int = 1) -> tuple[float, ...]:
        """A tag's numbers, as many as wanted and as the block holds; a rational is two of them. () without a tag."""
        if entry is None or entry.kind not in CODES:
            return ()
        code = CODES[entry.kind]
        size = struct.calcsize("=" + code)
        held = min(entry.count, most, max(0, len(self.data) - entry.offset) // size)
        return struct.unpack_from(self.order + code * held, self.data, entry.offset) if held > 0 else ()

    def raw(self, entry: Entry | None, most_bytes: int) -> bytes:
        """The bytes of a tag's values; b"" where they are missing, cut off, or more than wanted."""
        if entry is None or entry.kind not in CODES:
            return b""
        size = entry.count * struct.calcsize("=" + CODES[entry.kind])
        data = bytes(self.data[entry.offset : entry.offset + size]) if size <= most_bytes else b""
        return data if len(data) == size else b""

    def resolution(self, entries: dict[int, Entry]) -> tuple[float, float] | None:
        """Pixels per inch, across and down, as a directory says them."""
        unit = self.values(entries.get(RESOLUTION_UNIT)) or (2,)
        found = [self._rational(entries.get(tag)) for tag in (X_RESOLUTION, Y_RESOLUTION)]
        if unit[0] not in PER_INCH or not all(found):
            return None
        return found[0] * PER_INCH[int(unit[0])], found[1] * PER_INCH[int(unit[0])]

    def _rational(self, entry: Entry | None) -> float:
        values = self.values(entry)
        return values[0] / values[1] if entry and entry.kind in RATIONALS and len(values) == 2 and values[1] else 0.0

    def _values_at(self, kind: int, count: int, value_at: int) -> int:
        """Values that fit stand in the entry itself, others where it points."""
        size = struct.calcsize("=" + CODES.get(kind, "B")) * count
        if size <= struct.calcsize("=" + self._pointer):
            return value_at
        (offset,) = struct.unpack_from(self.order + self._pointer, self.data, value_at)
        return int(offset)
