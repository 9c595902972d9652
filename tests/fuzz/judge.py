"""Is a decoded photo the right picture of its file? Pillow says so, of what is left of the file for a decoder."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from codec.errors import RequestError
from codec.reading import read_header
from codec.upright import turn_upright

TOLERANCE = 2  # of 255

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it speaks of every odd tag


def verdict(file: bytes, pixels: NDArray[np.uint8]) -> str:
    """What is wrong with an answer.

    Args:
        file: a photo file that was answered.
        pixels: as model decode answers.

    Returns:
        A sentence; "" for a right picture, and where Pillow reads nothing that could be compared.
    """
    try:
        header = read_header(file, max_megapixels=120)
    except RequestError as refusal:
        return f"answered, and to be refused: {refusal}"
    height, width, channels = header.upright_shape
    wanted = height, width, channels * header.bits // 8
    if pixels.shape != wanted:
        return f"the answer is {pixels.shape}, the header says {wanted}"
    photo = pixels.view(np.uint16) if header.bits == 16 else pixels
    deep = header.bits == 16
    expected = by_tifffile(file, header.orientation) if deep and header.format == "tiff" else by_pillow(file)
    if expected is None:
        return ""
    if photo.shape[:2] != expected.shape[:2]:
        return f"the answer is {photo.shape}, the judge's picture {expected.shape}"
    channels = min(photo.shape[2], expected.shape[2], 3 if deep else 4)  # Pillow knows no transparent colour of 16 bits
    eight = photo >> 8 if deep else photo
    worst = int(np.abs(eight[..., :channels].astype(int) - expected[..., :channels]).max())
    return f"pixels differ from the judge's by up to {worst}" if worst > TOLERANCE else ""


def by_tifffile(file: bytes, orientation: int) -> NDArray[Any] | None:
    """A 16-bit TIFF's upper 8 bits, upright; None for what tifffile does not read or leaves to its caller."""
    try:
        page = tifffile.TiffFile(with_wider_numbers(file)).pages[0].aspage()
        stored = page.asarray()
        colors = page.photometric.name
    except Exception:  # its readers raise nearly anything
        return None
    if stored.dtype != np.uint16 or colors == "SEPARATED" or 1 in page.extrasamples:
        return None
    if page.planarconfig == 2 and stored.ndim == 3:
        stored = np.moveaxis(stored, 0, 2)
    if stored.ndim == 2:
        stored = np.dstack([65535 - stored if colors == "MINISWHITE" else stored] * 3)
    turned = np.empty((*(stored.shape[:2] if orientation < 5 else stored.shape[1::-1]), stored.shape[2]), np.uint16)
    turn_upright(np.ascontiguousarray(stored), orientation, turned)
    return turned >> 8


def with_wider_numbers(file: bytes) -> io.BytesIO:
    """A TIFF whose numbers of type BYTE are SHORT: tifffile reads the former as strings of bytes, never as numbers.

    It would take a planar configuration of 1 for one that is not 1, and see planes.
    """
    stream = io.BytesIO(file)
    for tag in list(tifffile.TiffFile(stream).pages[0].aspage().tags):
        if tag.dtype == tifffile.DATATYPE.BYTE and tag.count == 1:
            tag.overwrite(tag.value[0], dtype="H")
    stream.seek(0)
    return stream


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Without what libtiff and libjpeg write to the terminal."""
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


def by_pillow(file: bytes) -> NDArray[Any] | None:
    """A file's pixels, uint8 RGB or RGBA, upright; None where Pillow does not read it, or not as a colour picture."""
    try:
        with warnings.catch_warnings(), silent_libraries():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", "Truncated File Read")  # it leaves the rest of the directory unread
            image = Image.open(io.BytesIO(file))
            image.load()
            if image.info.get("exif", b"").removeprefix(b"Exif\0\0").startswith(b"MM\0+"):
                # EXIF is classic TIFF (EXIF 2.32, section 4.5.2), and this block says that it is BigTIFF. Pillow looks
                # for the 43 where little-endian files alone have it, and reads the block as a classic one.
                return None
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith(("I", "F")):
                return np.asarray(image)[..., None] >> 8 if image.mode.startswith("I;16") else None
            return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except Exception:  # Pillow's readers raise nearly anything
        return None
