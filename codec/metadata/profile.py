"""Colour profiles: carried where they describe the answer's pixels (ICC.1:2022, section 7.2)."""

import struct

MAX_BYTES = 4 << 20
HEADER_BYTES = 128
MAX_TAGS = 100
CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
"""Displays, cameras and scanners, printers, and spaces: profiles that a picture can be in."""


def rgb_profile(profile: bytes) -> bytes:
    """The profile, where it is a whole one of an RGB space; else nothing, since the answer's pixels are RGB."""
    if not HEADER_BYTES + 4 <= len(profile) <= MAX_BYTES:
        return b""
    size, kind, space, signature = struct.unpack_from(">I8x4s4s16x4s", profile)
    (tags,) = struct.unpack_from(">I", profile, HEADER_BYTES)
    if signature != b"acsp" or space != b"RGB " or kind not in CLASSES:
        return b""
    if not HEADER_BYTES + 4 + 12 * tags <= size <= len(profile) or not 0 < tags <= MAX_TAGS:
        return b""
    for place in range(HEADER_BYTES + 4, HEADER_BYTES + 4 + 12 * tags, 12):
        offset, length = struct.unpack_from(">4xII", profile, place)
        if offset + length > size:
            return b""
    return profile[:size]
