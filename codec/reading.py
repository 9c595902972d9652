"""From the bytes of a photo file to its header: the one door to the four parsers."""

from collections.abc import Callable

from codec import jpeg, png, tiff, webp
from codec.errors import RequestError
from codec.header import Header

READABLE = "JPEG, PNG, TIFF or WebP"

Parser = Callable[[memoryview], Header]
PARSERS: dict[bytes, Parser] = {
    b"\xff\xd8\xff": jpeg.parse,
    b"\x89PNG\r\n\x1a\n": png.parse,
    b"II*\0": tiff.parse,
    b"MM\0*": tiff.parse,
    b"II+\0": tiff.parse,  # BigTIFF
    b"MM\0+": tiff.parse,
    b"RIFF": webp.parse,
}


def read_header(file: bytes | memoryview, max_megapixels: float) -> Header:
    """Read and check the header of a photo file, in time linear in its size.

    Args:
        file: its bytes.
        max_megapixels: of the largest photo that is taken.

    Raises:
        RequestError: nothing, not a photo, damaged, beyond a limit, or a kind that cannot be decoded right.
    """
    view = memoryview(file)
    if not len(view):
        raise RequestError(f"the photo is empty (0 bytes); send the bytes of a {READABLE} file")
    header = _parser(view)(view)
    megapixels = header.width_px * header.height_px / 1e6
    if megapixels > max_megapixels:
        raise RequestError(
            f"the photo has {header.width_px} x {header.height_px} pixels ({megapixels:.0f} megapixels); "
            f"this server takes up to {max_megapixels:.0f} megapixels, so send a smaller copy"
        )
    return header


def _parser(file: memoryview) -> Parser:
    for signature, parse in PARSERS.items():
        if file[: len(signature)] == signature:
            return parse
    raise RequestError(f"this is not a photo that can be read; send the bytes of a {READABLE} file")
