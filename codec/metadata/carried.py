"""Metadata that travels from a photo to its edited copy: by allow-list, checked, and alike for every format."""

from dataclasses import dataclass, field

from codec.header import Header
from codec.metadata.exif import carried_exif, resolution
from codec.metadata.fields import Directory
from codec.metadata.profile import rgb_profile
from codec.metadata.xmp import carried_xmp

MIN_DPI, MAX_DPI = 1, 10_000


@dataclass(frozen=True)
class Carried:
    """What an edited photo says about itself beside its pixels.

    Attributes:
        exif: as codec.metadata.exif.carried_exif; empty for none.
        profile: ICC profile of an RGB space; empty for none.
        xmp: packet, XML in UTF-8; empty for none.
        dpi: dots per inch, across and down.
    """

    exif: Directory = field(default_factory=dict)
    profile: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None


def carried(source: Header) -> Carried:
    """What the edited copy of a photo keeps; whatever is damaged or too large is left out without an error."""
    height_px, width_px, _ = source.upright_shape
    found = source.metadata
    return Carried(
        exif=carried_exif(found.exif, width_px, height_px),
        profile=b"" if source.colors == "cmyk" else rgb_profile(found.icc),
        xmp=carried_xmp(found.xmp, width_px, height_px),
        dpi=_sane(found.dpi or resolution(found.exif), turned=source.orientation >= 5),
    )


def _sane(dpi: tuple[float, float] | None, turned: bool) -> tuple[float, float] | None:
    if dpi is None or not all(MIN_DPI <= each <= MAX_DPI for each in dpi):
        return None
    return (dpi[1], dpi[0]) if turned else dpi
