"""What a photo file says about itself, read and checked before anything of its size is allocated."""

import io
from dataclasses import dataclass

from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

from pixels.errors import RequestError

Image.MAX_IMAGE_PIXELS = None  # the limit below comes with a message for photographers

FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "TIFF": "tiff", "WEBP": "webp"}
READABLE = "JPEG, PNG, TIFF or WebP"


@dataclass(frozen=True)
class Header:
    """Header of a photo file.

    Attributes:
        format: "jpeg", "png", "tiff" or "webp".
        width_px: as stored, before the EXIF orientation is applied.
        height_px: as stored.
        bits: per sample, 8 or 16.
        image: the opened file, pixels not decoded: its metadata.
    """

    format: str
    width_px: int
    height_px: int
    bits: int
    image: Image.Image


def read_header(file: bytes | memoryview, max_megapixels: float) -> Header:
    """Read and check the header of a photo file.

    Raises:
        RequestError: nothing, not a photo, an animation, an unusual sample type, or too many pixels.
    """
    if not len(file):
        raise RequestError(f"the photo is empty (0 bytes); send the bytes of a {READABLE} file")
    try:
        image = Image.open(io.BytesIO(file), formats=["JPEG", "PNG", "TIFF", "WEBP"])
        header = Header(FORMATS[image.format or ""], *image.size, _bits(image, file), image)
        frames = 1 if header.format == "jpeg" else getattr(image, "n_frames", 1)
    except Exception:  # Pillow's readers raise nearly anything on damaged headers
        raise RequestError(f"this is not a photo that can be read; send the bytes of a {READABLE} file") from None
    if frames > 1:
        raise RequestError(f"the {header.format} file holds {frames} pictures; send them one by one")
    if header.bits not in (8, 16):
        raise RequestError(f"the {header.format} file has {header.bits} bits per sample; save it with 8 or 16")
    megapixels = header.width_px * header.height_px / 1e6
    if megapixels > max_megapixels:
        raise RequestError(
            f"the photo has {header.width_px} x {header.height_px} pixels ({megapixels:.0f} megapixels); "
            f"this server takes up to {max_megapixels:.0f} megapixels, so send a smaller copy"
        )
    return header


def _bits(image: Image.Image, file: bytes | memoryview) -> int:
    """Bits per sample as stored: Pillow's mode does not tell 16-bit colour from 8-bit."""
    if image.format == "PNG":
        return max(8, file[24])  # the IHDR chunk always comes first
    if isinstance(image, TiffImageFile):
        return max(8, *map(int, image.tag_v2.get(BITSPERSAMPLE, (1,))))
    return 8
