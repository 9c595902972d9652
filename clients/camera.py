"""Camera files and HEIC, developed into TIFF before they are sent: LibRaw and libheif, in a process that may die.

    python -m clients.camera .nef < hall.nef > hall.tif

RAW: 16 bits, sRGB, the camera's white balance, no brightening, upright; the frames of a scene (`--scene`) with a plain
power for a tone curve, which the server undoes exactly to merge them in linear light. HEIC and AVIF: their own
depth (8 or 16 bits) and colour profile. EXIF and lens data go along, as far as the file has them in a TIFF directory or
in its preview.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from clients.errors import PhotoError
from codec.errors import RequestError
from codec.metadata.carried import Carried
from codec.metadata.exif import carried_exif
from codec.metadata.profile import rgb_profile
from codec.reading import read_header
from codec.writing.tiff import write_tiff

RAW = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".rw2", ".orf")
HEIF = (".heic", ".heif")
AVIF = (".avif",)
DEVELOPED = (*RAW, *HEIF, *AVIF)
EXTRA = "camera files and HEIC need more packages: make setup PART=camera"
TIMEOUT_S = 300.0
SRGB_GAMMA = (2.4, 12.92)
SCENE_GAMMA = (2.2, 0.0)
"""That of `pixels.brackets.exposure`, without a straight part near black."""
SCENE = "--scene"
SMALLEST_RAW_PX = 16
TIFF_START = b"II*\0"
NEARLY_TIFF = (b"IIRO", b"IIRS", b"IIU\0")
"""Olympus and Panasonic begin their TIFF directories in their own ways."""


def is_installed() -> bool:
    """Whether the packages that develop are there."""
    return all(importlib.util.find_spec(name) for name in ("rawpy", "pi_heif"))


def is_developed(path: Path) -> bool:
    """Whether a file has to be developed, by its extension."""
    return path.suffix.lower() in DEVELOPED


def sendable(path: Path, content: bytes, of_scene: bool = False) -> bytes:
    """The file as a server takes it: as it is, or developed into TIFF.

    Args:
        path: Its extension tells what it is.
        content: Its bytes.
        of_scene: Whether it is going to be merged with other exposures.

    Raises:
        PhotoError: it cannot be developed, or the packages for that are missing.
    """
    if not is_developed(path):
        return content
    if not is_installed():
        raise PhotoError(EXTRA)
    command = [sys.executable, "-m", "clients.camera", path.suffix.lower(), *[SCENE] * of_scene]
    try:
        ran = subprocess.run(command, input=content, capture_output=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise PhotoError(f"cannot be developed within {TIMEOUT_S:g} s") from error
    if ran.returncode or not ran.stdout:
        told = ran.stderr.decode(errors="replace").strip().splitlines()
        raise PhotoError(f"cannot be developed: {told[-1] if told else f'LibRaw died of it ({ran.returncode})'}")
    return ran.stdout


def develop(content: bytes, suffix: str, of_scene: bool) -> bytes:
    """A TIFF of a camera file's upright pixels, with its EXIF; raises whatever the libraries raise."""
    if suffix in RAW:
        pixels, exif, profile = _raw(content, SCENE_GAMMA if of_scene else SRGB_GAMMA)
    else:
        pixels, exif, profile = _heif(content) if suffix in HEIF else _avif(content)
    height_px, width_px, _ = pixels.shape
    return write_tiff(pixels, Carried(carried_exif(exif, width_px, height_px), rgb_profile(profile)))


def _raw(content: bytes, gamma: tuple[float, float]) -> tuple[NDArray[Any], bytes, bytes]:
    """16-bit sRGB pixels."""
    import rawpy  # an extra

    with rawpy.imread(io.BytesIO(content)) as raw:
        if min(raw.sizes.width, raw.sizes.height) < SMALLEST_RAW_PX:
            raise ValueError("it holds no picture but a thumbnail")
        preview = b""
        with contextlib.suppress(rawpy.LibRawError):
            thumbnail = raw.extract_thumb()
            preview = bytes(thumbnail.data) if thumbnail.format == rawpy.ThumbFormat.JPEG else b""
        pixels = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # else the brightest pixel of a dim photo becomes white
            output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=gamma,
        )
    return pixels, _raw_exif(content, preview), b""


def _raw_exif(content: bytes, preview: bytes) -> bytes:
    if content[:4] in NEARLY_TIFF:
        content = TIFF_START + content[4:]
    if content[:4] in (TIFF_START, b"MM\0*"):
        return content
    try:
        return bytes(read_header(preview, float("inf")).metadata.exif)
    except RequestError:
        return b""


def _heif(content: bytes) -> tuple[NDArray[Any], bytes, bytes]:
    """Libheif turns the pixels upright itself."""
    import pi_heif  # an extra

    photo = pi_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)
    pixels = np.array(photo)  # a copy: the library's memory goes with its photo
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    exif = (photo.info.get("exif") or b"").removeprefix(b"Exif\0\0")
    return pixels, exif, photo.info.get("icc_profile") or b""


def _avif(content: bytes) -> tuple[NDArray[Any], bytes, bytes]:
    with Image.open(io.BytesIO(content), formats=["AVIF"]) as photo:
        exif = (photo.info.get("exif") or b"").removeprefix(b"Exif\0\0")
        profile = photo.info.get("icc_profile") or b""
        upright = ImageOps.exif_transpose(photo)
        return np.asarray(upright.convert("RGBA" if "A" in upright.mode else "RGB")), exif, profile


def main() -> int:
    """Develops the standard input onto the standard output."""
    try:
        sys.stdout.buffer.write(develop(sys.stdin.buffer.read(), sys.argv[1], SCENE in sys.argv[2:]))
    except Exception as error:  # the libraries raise nearly anything on damaged files
        print(error or type(error).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
