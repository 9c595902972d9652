"""What goes to the customer: smaller copies, file sizes that a portal takes, sRGB, less metadata."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace

from PIL import Image, ImageCms

from clients.errors import EnhanceError, OptionError
from clients.request import Enhanced, Options
from codec.metadata.carried import Carried, carried
from codec.metadata.exif import EXIF, GPS, HEIGHT, WIDTH, exif_block
from codec.metadata.fields import Directory, longs
from codec.metadata.xmp import carried_xmp
from codec.reading import read_header

QUALITY = 92
LOWEST_QUALITY = 50
"""Below it a smaller copy looks better than a poorer one."""
SHRINK = 0.9
"""A copy is at least so much smaller than the one before it, on each side."""
SMALLEST_PX = 64
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
LOSSY = ("jpeg", "webp")


@dataclass(frozen=True)
class Delivery:
    """How enhanced photos are prepared for delivery; by default not at all.

    Raises:
        OptionError: a value is outside its range.
    """

    max_size_px: int | None = None
    """Longest side; larger photos are shrunk, smaller ones stay as they are."""
    max_bytes: int | None = None
    """Of the file: quality is lowered first, down to 50, and then the size."""
    srgb: bool = False
    """Whether colours are converted to sRGB from the space that the photo's profile names."""
    strip_gps: bool = False
    """Whether the place leaves the metadata; XMP that speaks of it goes whole."""
    strip_metadata: bool = False
    """Whether all metadata goes, but for the colour profile."""

    def __post_init__(self) -> None:
        if self.max_size_px is not None and self.max_size_px < SMALLEST_PX:
            raise OptionError(f"max-size {self.max_size_px} is below {SMALLEST_PX} pixels")
        if self.max_bytes is not None and self.max_bytes < 1000:
            raise OptionError(f"max-bytes {self.max_bytes} is below 1000")

    @property
    def is_active(self) -> bool:
        """Whether anything is to be done."""
        return self != Delivery()

    def request(self, wanted: Options) -> Options:
        """What to ask the server for: a lossless file where the photo is encoded once more."""
        return replace(wanted, format="png", quality=None) if self.is_active else wanted

    def apply(self, enhanced: Enhanced, wanted: Options) -> Enhanced:
        """The photo as it is delivered, 8 bits a sample.

        Args:
            enhanced: The server's answer to `request(wanted)`.
            wanted: Format and quality of the delivered file; without a format it is a JPEG.

        Raises:
            EnhanceError: it cannot be made small enough, or its profile cannot be converted.
        """
        if not self.is_active:
            return enhanced
        kind = "jpeg" if wanted.format in (None, "same") else wanted.format
        metadata = self._metadata(carried(read_header(enhanced.data, math.inf)))
        with Image.open(io.BytesIO(enhanced.data)) as opened:
            photo = _fitting(opened.convert("RGBA" if opened.mode == "RGBA" and kind != "jpeg" else "RGB"), kind)
        if self.srgb and metadata.profile:
            photo, metadata = _to_srgb(photo, metadata)
        if self.max_size_px is not None:
            photo.thumbnail((self.max_size_px, self.max_size_px), Image.Resampling.LANCZOS)
        data, size_px = self._within_bytes(photo, kind, wanted.quality or QUALITY, metadata)
        return Enhanced(data, size_px, kind, enhanced.seconds)

    def _metadata(self, found: Carried) -> Carried:
        if self.strip_metadata:
            return Carried(profile=found.profile)
        if not self.strip_gps:
            return found
        exif = {tag: value for tag, value in found.exif.items() if tag != GPS}
        return replace(found, exif=exif, xmp=b"" if b"GPS" in found.xmp else found.xmp)

    def _within_bytes(
        self, photo: Image.Image, kind: str, quality: int, metadata: Carried
    ) -> tuple[bytes, tuple[int, int]]:
        """The file and its size in pixels: the best quality that fits, and a smaller copy where none does."""
        while True:
            data = _encoded(photo, kind, quality, metadata)
            if self.max_bytes is None or len(data) <= self.max_bytes:
                return data, photo.size
            if kind in LOSSY:
                least = min(quality, LOWEST_QUALITY)
                data = _encoded(photo, kind, least, metadata)
                if len(data) <= self.max_bytes:
                    return self._best_quality(photo, kind, range(least, quality), metadata), photo.size
            scale = min(SHRINK, math.sqrt(self.max_bytes / len(data)))
            if max(photo.size) * SHRINK < SMALLEST_PX:
                raise EnhanceError(f"no copy of {SMALLEST_PX} pixels or more fits into {self.max_bytes} bytes")
            scale = max(scale, SMALLEST_PX / max(photo.size))
            width_px, height_px = (max(1, round(side_px * scale)) for side_px in photo.size)
            photo = photo.resize((width_px, height_px), Image.Resampling.LANCZOS)

    def _best_quality(self, photo: Image.Image, kind: str, qualities: range, metadata: Carried) -> bytes:
        """The file of the highest of these qualities that fits; the lowest does."""
        fits, fails = qualities.start, qualities.stop
        best = _encoded(photo, kind, fits, metadata)
        while fails - fits > 1:
            middle = (fits + fails) // 2
            data = _encoded(photo, kind, middle, metadata)
            if self.max_bytes is None or len(data) <= self.max_bytes:
                fits, best = middle, data
            else:
                fails = middle
        return best


def _fitting(photo: Image.Image, kind: str) -> Image.Image:
    """WebP holds 16,383 pixels on a side."""
    if kind == "webp" and max(photo.size) > 16_383:
        raise EnhanceError("webp holds 16383 pixels on a side: add --max-size, or ask for another format")
    return photo


def _to_srgb(photo: Image.Image, metadata: Carried) -> tuple[Image.Image, Carried]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(metadata.profile))
        colors = ImageCms.profileToProfile(photo.convert("RGB"), source, SRGB, ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError) as error:
        raise EnhanceError(f"the photo's colour profile cannot be converted to sRGB: {error}") from error
    assert colors is not None  # it is not converted in place
    if photo.mode == "RGBA":
        colors.putalpha(photo.getchannel("A"))
    return colors, replace(metadata, profile=SRGB.tobytes())


def _sized(exif: Directory, width_px: int, height_px: int) -> Directory:
    inner = exif.get(EXIF)
    sizes: Directory = {WIDTH: longs(width_px), HEIGHT: longs(height_px)}
    return {**exif, EXIF: {**inner, **sizes}} if isinstance(inner, dict) else exif


def _encoded(photo: Image.Image, kind: str, quality: int, metadata: Carried) -> bytes:
    """The file; its EXIF says the size that it has."""
    file = io.BytesIO()
    options: dict[str, object] = {"icc_profile": metadata.profile or None}
    if metadata.exif:
        options["exif"] = b"Exif\0\0" + exif_block(_sized(metadata.exif, *photo.size), metadata.dpi)
    if metadata.xmp and kind != "png":
        options["xmp"] = carried_xmp(metadata.xmp, *photo.size)
    if metadata.dpi and kind != "webp":
        options["dpi"] = metadata.dpi
    if kind in LOSSY:
        options["quality"] = quality
    photo.save(file, kind, **options)
    return file.getvalue()
