"""Writers: the pixels that go in are those that another library reads; a file that was cut is known as such."""

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from codec.errors import RequestError
from codec.metadata.carried import Carried
from codec.metadata.exif import carried_exif
from codec.reading import read_header
from codec.writing import photo as writing
from codec.writing.photo import BrokenResultError, eight_bits, write_photo
from tests.photos import decoded, encoded, photo

KINDS = ("jpeg", "png", "tiff", "webp")
NOTHING = Carried()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def made(samples: int, dtype: type, width: int = 61, height: int = 47) -> NDArray[np.generic]:
    """Random samples, every value likely."""
    top = np.iinfo(dtype).max
    return np.random.default_rng(samples).integers(0, top, (height, width, samples), dtype=dtype, endpoint=True)


def read(file: bytes, dtype: type) -> NDArray[np.generic]:
    """By libraries that did not write it: OpenCV where samples have 16 bits, else Pillow."""
    if dtype == np.uint16:
        pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return np.asarray(Image.open(io.BytesIO(file)))


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(61, 47), (1, 1), (1, 3), (700, 800)])
def test_lossless_formats_return_the_pixels(kind: str, samples: int, dtype: type, size: tuple[int, int]) -> None:
    pixels = made(samples, dtype, *size)
    np.testing.assert_array_equal(read(write_photo(pixels, kind, 92, NOTHING), dtype), pixels)


@pytest.mark.parametrize("quality", [1, 50, 92, 100])
def test_jpeg_is_what_libjpeg_makes_of_it(quality: int) -> None:
    """The same tables, the same colours at half resolution, the exact transform: byte for byte what Pillow writes."""
    pixels = photo(331, 247)
    assert write_photo(pixels, "jpeg", quality, NOTHING) == encoded(pixels, "JPEG", quality=quality)


@pytest.mark.parametrize(("width", "height"), [(40, 255), (40, 256), (40, 257), (17, 3001), (4000, 600)])
def test_a_tall_jpeg_in_strips_is_the_same_picture(width: int, height: int) -> None:
    """3,001 rows are twelve strips: more than there are restart markers."""
    pixels = photo(width, height)
    file = write_photo(pixels, "jpeg", 92, NOTHING)
    np.testing.assert_array_equal(read(file, np.uint8), decoded(encoded(pixels, "JPEG", quality=92)))
    assert (b"\xff\xdd" in file) == (height > 256)


def test_jpeg_leaves_transparency_out() -> None:
    pixels = np.dstack([photo(64, 48), made(1, np.uint8, 64, 48)])
    assert write_photo(pixels, "jpeg", 92, NOTHING) == encoded(pixels[..., :3], "JPEG", quality=92)


@pytest.mark.parametrize("samples", [3, 4])
def test_webp_is_what_libwebp_makes_of_it(samples: int) -> None:
    pixels = np.dstack([photo(331, 247), photo(331, 247, seed=1)[..., 0]])[..., :samples]
    assert write_photo(pixels, "webp", 80, NOTHING) == encoded(pixels, "WEBP", quality=80)


def test_an_opaque_webp_has_no_transparency() -> None:
    file = write_photo(np.dstack([photo(64, 48), np.full((48, 64), 255, np.uint8)]), "webp", 80, NOTHING)
    assert not read_header(file, 120).alpha


def test_a_webp_that_libwebp_cannot_write_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen with 120 megapixels of fine detail; a test of that size would take a minute."""

    def save(*_: object, **__: object) -> None:
        raise ValueError("encoding error 6")

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(RequestError, match="ask for format png or tiff"):
        write_photo(made(3, np.uint8), "webp", 92, NOTHING)


def test_sixteen_bits_are_rounded_to_eight() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(eight_bits(every), (every.astype(np.uint32) + 128) // 257)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_lossy_formats_take_sixteen_bits(kind: str) -> None:
    pixels = photo(64, 48)
    assert write_photo(pixels.astype(np.uint16) * 257, kind, 92, NOTHING) == write_photo(pixels, kind, 92, NOTHING)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_metadata_goes_with_every_kind(kind: str, samples: int, dtype: type) -> None:
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0112: 8})
    metadata = Carried(
        exif=carried_exif(exif.tobytes().removeprefix(b"Exif\0\0"), 61, 47),
        profile=SRGB,
        xmp=b"<x/>",
        dpi=(300.0, 240.0),
    )
    file = write_photo(made(samples, dtype), kind, 92, metadata)
    opened = Image.open(io.BytesIO(file))
    opened.load()
    assert (opened.getexif()[0x010F], opened.getexif()[0x0112]) == ("Maker", 1)
    assert opened.getexif().get_ifd(0x8769)[0xA002] == 61
    assert (opened.info["icc_profile"], opened.info["xmp"]) == (SRGB, b"<x/>")
    if kind != "webp":  # which has no resolution of its own
        assert opened.info["dpi"] == pytest.approx((300, 240), abs=0.02)
    assert (opened.getexif()[0x011A], opened.getexif()[0x011B]) == (300, 240)


def test_a_large_profile_is_split_in_jpeg_and_left_out_of_png() -> None:
    """Pillow, like others, refuses a PNG whose profile is larger than 1 MB."""
    large = Carried(profile=SRGB + bytes(1_500_000))
    pixels = made(3, np.uint8)
    for kind in ("jpeg", "tiff", "webp"):
        assert Image.open(io.BytesIO(write_photo(pixels, kind, 92, large))).info["icc_profile"] == large.profile
    assert "icc_profile" not in Image.open(io.BytesIO(write_photo(pixels, "png", 92, large))).info


@pytest.mark.parametrize(
    ("kind", "side_px", "advice"),
    [
        ("webp", 16_384, "ask for format png or tiff, or"),
        ("jpeg", 65_501, "ask for format png or tiff, or"),
        ("png", 1_000_001, "ask for format tiff, or"),
        ("tiff", (1 << 24) + 1, "; send a smaller copy"),
    ],
)
def test_too_large_for_a_format_is_said_with_what_would_work(kind: str, side_px: int, advice: str) -> None:
    for shape in ((1, side_px, 3), (side_px, 1, 3)):
        with pytest.raises(RequestError, match=rf"{kind} holds up to {side_px - 1} pixels .*{advice}"):
            write_photo(np.zeros(shape, np.uint8), kind, 92, NOTHING)


@pytest.mark.parametrize(("kind", "side_px"), writing.MAX_SIDE_PX.items())
def test_the_largest_side_is_written(kind: str, side_px: int) -> None:
    for width_px, height_px in ((side_px, 1), (1, side_px)):
        file = write_photo(np.zeros((height_px, width_px, 3), np.uint8), kind, 92, NOTHING)
        assert read_header(file, 120).upright_shape == (height_px, width_px, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [3, 4])
def test_a_file_that_is_cut_is_known_wherever_it_is_cut(kind: str, samples: int) -> None:
    file = write_photo(
        made(samples, np.uint8, 24, 18), kind, 92, Carried(profile=SRGB, xmp=b"<x/>", dpi=(300.0, 300.0))
    )
    assert read_header(file, 120).upright_shape == (18, 24, 3 if kind == "jpeg" else samples)
    for length in range(len(file)):
        with pytest.raises(RequestError):
            read_header(file[:length], 120)


def test_a_writer_that_stops_early_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "write_jpeg", lambda photo, quality, metadata: encoded(photo, "JPEG")[:-2])
    with pytest.raises(BrokenResultError, match="cannot be read"):
        write_photo(made(3, np.uint8), "jpeg", 92, NOTHING)


def test_a_writer_that_writes_another_size_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = write_photo(made(3, np.uint8, 60, 47), "png", 92, NOTHING)
    monkeypatch.setattr(writing, "write_png", lambda photo, metadata: smaller)
    with pytest.raises(BrokenResultError, match=r"\(47, 60, 3\)"):
        write_photo(made(3, np.uint8), "png", 92, NOTHING)
