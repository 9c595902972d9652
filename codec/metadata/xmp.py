"""XMP packets: carried where they are sound XML of a sane size, with the numbers that describe the pixels corrected."""

import re
from xml.etree import ElementTree

MAX_BYTES = 65_000
"""What one segment of a JPEG holds, and the bound in every format; larger ones carry thumbnails and editing history."""


def carried_xmp(packet: bytes, width_px: int, height_px: int) -> bytes:
    """The packet for an edited photo that is upright and has this size; empty where none can be trusted."""
    if len(packet) > MAX_BYTES or b"<!" in packet.replace(b"<!--", b""):
        return b""  # a document type or its entities: nothing that belongs in a packet
    corrected = _corrected(packet.rstrip(b"\0"), width_px, height_px)
    return corrected if len(corrected) <= MAX_BYTES and _upright(corrected) else b""


def _corrected(packet: bytes, width_px: int, height_px: int) -> bytes:
    """Values in both of their spellings, an attribute and an element."""
    width, height = str(width_px).encode(), str(height_px).encode()
    values = {
        b"Orientation": b"1",
        b"ImageWidth": width,
        b"ImageLength": height,
        b"PixelXDimension": width,
        b"PixelYDimension": height,
    }
    for name, value in values.items():
        packet = re.sub(rb"([\s:]" + name + rb"\s*=\s*)(?:\"[^\"<]*\"|'[^'<]*')", rb'\g<1>"' + value + rb'"', packet)
        packet = re.sub(rb"([<:]" + name + rb"\s*>)[^<]*(?=</)", rb"\g<1>" + value, packet)
    return packet


def _upright(packet: bytes) -> bool:
    """Whether it is XML in UTF-8 in which no orientation, wherever it hides, says that pixels are to be turned."""
    try:
        packet.decode()
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
    values = [value for element in root.iter() for name, value in element.items() if name.endswith("Orientation")]
    values += ["".join(element.itertext()) for element in root.iter() if str(element.tag).endswith("Orientation")]
    return all(value.strip() == "1" for value in values)
