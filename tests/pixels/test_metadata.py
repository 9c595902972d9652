"""The EXIF block travels byte for byte but for its orientation."""

import struct

import pytest

from pixels.metadata import upright


def block(order: str, orientation: int) -> bytes:
    """An EXIF block with a camera's directory of two entries."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x0110, 2, 4, b"Cam\0"), (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0))]
    packed = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    return mark + struct.pack(order + "IH", 8, 2) + packed + b"\0\0\0\0maker notes"


@pytest.mark.parametrize("start", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_reset_and_nothing_else(order: str, start: bytes) -> None:
    assert upright(start + block(order, 6)) == start + block(order, 1)


@pytest.mark.parametrize("damaged", [b"", b"nonsense", b"II*\0", block("<", 6)[:20], b"II*\0\xff\xff\xff\xff"])
def test_damaged_blocks_pass_unchanged(damaged: bytes) -> None:
    assert upright(damaged) == damaged
