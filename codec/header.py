"""What a photo file says about itself: read by our own bounded parsers before any library sees the file."""

from dataclasses import dataclass, field

UPRIGHT = 1


@dataclass(frozen=True)
class Metadata:
    r"""What a file holds beside its pixels, as found: bytes of strangers, bounded in size and otherwise unchecked.

    Attributes:
        exif: a TIFF structure (EXIF 3.0, section 4.5), without "Exif\0\0" in front; of a TIFF photo the whole file.
            Empty where there is none, like the following.
        icc: ICC profile.
        xmp: XMP packet.
        dpi: resolution across and down in pixels per inch, as JFIF, pHYs or the TIFF directory say it, or None.
    """

    exif: bytes | memoryview = b""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True)
class Header:
    """Header of a photo file that keeps within the parsers' limits.

    Attributes:
        format: "jpeg", "png", "tiff" or "webp".
        width_px: as stored, before the orientation is applied.
        height_px: as stored.
        bits: per sample of the decoded photo, 8 or 16.
        colors: what the samples mean: "rgb", "grey", "palette", "cmyk" or "ycbcr".
        alpha: whether the decoded photo has an alpha channel.
        orientation: 1 to 8, as EXIF numbers them, from wherever the file says it.
        metadata: what travels to the edited copy.
        pieces: the file without all that, for the library that decodes: joined, they are a file of the same format.
    """

    format: str
    width_px: int
    height_px: int
    bits: int
    colors: str
    alpha: bool = False
    orientation: int = UPRIGHT
    metadata: Metadata = field(default=Metadata(), repr=False)
    pieces: tuple[bytes | memoryview, ...] = field(default=(), repr=False)

    @property
    def channels(self) -> int:
        """Channels of the decoded photo: 3 (RGB) or 4 (RGBA)."""
        return 4 if self.alpha else 3

    @property
    def upright_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the decoded photo, orientation applied."""
        size = (self.height_px, self.width_px) if self.orientation < 5 else (self.width_px, self.height_px)
        return (*size, self.channels)
