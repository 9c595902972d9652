"""WebP by libwebp, through Pillow: lossy colours, lossless transparency."""

import io
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from codec.errors import RequestError
from codec.metadata.carried import Carried
from codec.metadata.exif import exif_block

FIRST_PARTITION_IS_FULL = "encoding error 6"  # libwebp's VP8_ENC_ERROR_PARTITION0_OVERFLOW, in Pillow's words


def write_webp(photo: NDArray[Any], quality: int, metadata: Carried) -> bytes:
    """A WebP file.

    Args:
        photo: uint8 (height, width, 3 or 4), RGB or RGBA.
        quality: 1 to 100.
        metadata: what goes with it, but for the resolution, which WebP has only in EXIF.

    Raises:
        RequestError: the modes of the blocks need more than the 512 KB that VP8 has for them.
    """
    file = io.BytesIO()
    carried = {"exif": exif_block(metadata.exif, metadata.dpi), "xmp": metadata.xmp, "icc_profile": metadata.profile}
    try:
        Image.fromarray(photo).save(file, "WEBP", quality=quality, **carried)
    except ValueError as error:
        if str(error) != FIRST_PARTITION_IS_FULL:
            raise
        raise RequestError(
            "webp cannot hold a photo of so many pixels and so much detail; ask for format png or tiff"
        ) from None
    return file.getvalue()
