"""WebP by libwebp, through Pillow: lossy colours, lossless transparency."""

import io
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from pixels.codecs.metadata.carried import Carried
from pixels.codecs.metadata.exif import exif_block


def write_webp(photo: NDArray[Any], quality: int, metadata: Carried) -> bytes:
    """A WebP file.

    Args:
        photo: uint8 (height, width, 3 or 4), RGB or RGBA.
        quality: 1 to 100.
        metadata: what goes with it, but for the resolution, which WebP has only in EXIF.
    """
    file = io.BytesIO()
    Image.fromarray(photo).save(
        file,
        "WEBP",
        quality=quality,
        exif=exif_block(metadata.exif, metadata.dpi),
        xmp=metadata.xmp,
        icc_profile=metadata.profile,
    )
    return file.getvalue()
