"""Photo files from pixels: four formats, 8 or 16 bits a sample, transparency and metadata carried over."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

LOSSLESS_16_BIT = ("png", "tiff")
PNG_COMPRESSION = 3  # of 9: twice as fast as the usual 6 for files a few percent larger


def encode(
    photo: NDArray[Any], kind: str, quality: int, alpha: NDArray[np.uint8] | None, metadata: dict[str, Any]
) -> bytes:
    """Encode a photo.

    Args:
        photo: uint8 or uint16 (height, width, 3), RGB. 16 bits are kept in PNG and TIFF and rounded to 8 elsewhere.
        kind: "jpeg", "png", "tiff" or "webp".
        quality: 1 to 100, for JPEG and WebP.
        alpha: uint8 (height, width), or None; left out of JPEG, which has no transparency.
        metadata: as pixels.metadata.carried_metadata.

    Returns:
        The file.
    """
    deep = photo.dtype == np.uint16
    if deep and kind not in LOSSLESS_16_BIT:
        photo, deep = ((photo.astype(np.uint32) + 128) // 257).astype(np.uint8), False
    if alpha is not None and kind != "jpeg":
        photo = np.dstack([photo, alpha.astype(photo.dtype) * (257 if deep else 1)])
    if deep:
        return (_png_16_bit if kind == "png" else _tiff_16_bit)(photo, metadata)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, kind, quality=quality, compress_level=PNG_COMPRESSION, **metadata)
    return file.getvalue()


def transparency(image: Image.Image) -> NDArray[np.uint8] | None:
    """The alpha channel of an opened file, uint8 (height, width), upright; None where it has none."""
    if not image.has_transparency_data:
        return None
    return np.asarray(ImageOps.exif_transpose(image.convert("RGBA")).getchannel("A"))


def _png_16_bit(photo: NDArray[Any], metadata: dict[str, Any]) -> bytes:
    """OpenCV writes the pixels; the chunks of metadata go between its header and them (PNG, third edition, 11.3)."""
    order = cv2.COLOR_RGB2BGR if photo.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    _, file = cv2.imencode(".png", cv2.cvtColor(photo, order), [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION])
    chunks = b""
    if "icc_profile" in metadata:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata["icc_profile"]))
    if "dpi" in metadata:
        per_metre = [round(float(dpi) / 0.0254) for dpi in metadata["dpi"]]
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if "xmp" in metadata:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata["xmp"])
    if "exif" in metadata:
        chunks += _chunk(b"eXIf", metadata["exif"].removeprefix(b"Exif\0\0"))
    end_of_header = 8 + 25  # signature and IHDR
    return file[:end_of_header].tobytes() + chunks + file[end_of_header:].tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff_16_bit(photo: NDArray[Any], metadata: dict[str, Any]) -> bytes:
    """An EXIF block is a TIFF file without pixels: Pillow writes it with the pixels' tags added, they follow it."""
    height, width, channels = photo.shape
    tags = Image.Exif()
    tags.load(metadata.get("exif", b""))
    tags.update(
        {
            0x0100: width,
            0x0101: height,
            0x0102: (16,) * channels,
            0x0103: 1,  # not compressed
            0x0106: 2,  # RGB
            0x0111: 0,  # the pixels start where the directory ends: Pillow adds its length
            0x0115: channels,
            0x0116: height,  # all in one strip
            0x0117: photo.nbytes,
        }
    )
    if channels == 4:
        tags[0x0152] = 2  # the extra sample is unassociated alpha
    if "dpi" in metadata:
        tags.update({0x011A: metadata["dpi"][0], 0x011B: metadata["dpi"][1], 0x0128: 2})
    if "icc_profile" in metadata:
        tags[0x8773] = metadata["icc_profile"]
    if "xmp" in metadata:
        tags[0x02BC] = metadata["xmp"]
    tags.endian = "<"
    return tags.tobytes().removeprefix(b"Exif\0\0") + photo.astype("<u2").tobytes()
