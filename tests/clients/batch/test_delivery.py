"""Delivered files: sizes, bytes, colours and metadata, as whoever gets them reads them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from clients import Options
from clients.batch.delivery import SRGB, Delivery
from clients.batch.order import Order
from clients.batch.presets import SHIPPED, preset, presets
from clients.errors import EnhanceError, OptionError
from clients.request import Enhanced
from tests.photos import encoded, photo

GPS, MAKER, EXIF, WIDTH = 0x8825, 0x010F, 0x8769, 0xA002


def answered(width: int = 640, height: int = 480, **options: object) -> Enhanced:
    """The server's answer: a PNG with metadata."""
    exif = Image.Exif()
    exif[MAKER] = "Maker"
    exif.get_ifd(EXIF)[WIDTH] = width
    exif.get_ifd(GPS)[1] = "N"
    data = encoded(photo(width, height), "PNG", exif=exif, icc_profile=SRGB.tobytes(), dpi=(300, 300), **options)
    return Enhanced(data, (width, height), "png", 0.5)


def delivered(enhanced: Enhanced, kind: str = "jpeg", quality: int | None = None, **options: object) -> Image.Image:
    file = Delivery(**options).apply(enhanced, Options(format=kind, quality=quality))
    image = Image.open(io.BytesIO(file.data))
    assert (image.format, image.size) == (kind.upper(), file.size_px) and file.format == kind
    image.load()
    return image


def test_without_a_wish_nothing_happens() -> None:
    enhanced, wanted = answered(), Options(format="jpeg", quality=80)
    assert Delivery().apply(enhanced, wanted) is enhanced and Delivery().request(wanted) is wanted
    assert Delivery(srgb=True).request(wanted) == Options(format="png")


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_larger_photos_are_shrunk_and_smaller_ones_left(kind: str) -> None:
    image = delivered(answered(), kind, max_size_px=320)
    assert image.size == (320, 240) and image.getexif()[MAKER] == "Maker"
    assert image.getexif().get_ifd(EXIF)[WIDTH] == 320
    assert delivered(answered(), kind, max_size_px=2000).size == (640, 480)
    exact = np.abs(
        np.asarray(image.convert("RGB")).astype(int) - np.asarray(Image.fromarray(photo(640, 480)).reduce(2))
    )
    assert exact.mean() < 4


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("most", [60_000, 20_000])
def test_files_fit_into_their_bytes(kind: str, most: int) -> None:
    enhanced = answered()
    file = Delivery(max_bytes=most).apply(enhanced, Options(format=kind, quality=95))
    assert 0.5 * most < len(file.data) <= most
    smaller = Delivery(max_bytes=most - 1000).apply(enhanced, Options(format=kind, quality=95))
    assert smaller.size_px <= file.size_px


def test_bytes_that_no_copy_fits_into_are_told() -> None:
    enhanced = Enhanced(
        encoded(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8), "PNG"), (90, 90), "png", 0
    )
    with pytest.raises(EnhanceError, match="no copy of 64 pixels or more fits into 1000 bytes"):
        Delivery(max_bytes=1000).apply(enhanced, Options(format="png"))


def test_colours_are_converted_and_named() -> None:
    """The photo's profile is sRGB with red and blue primaries swapped: converting swaps the channels."""
    profile = SRGB.tobytes().replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    enhanced = Enhanced(encoded(photo(640, 480), "PNG", icc_profile=profile), (640, 480), "png", 0.5)
    image = delivered(enhanced, "tiff", srgb=True)
    name = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])).profile.profile_description
    assert name.startswith("sRGB")
    assert np.abs(np.asarray(image).astype(int) - photo(640, 480)[..., ::-1]).max() <= 2


def test_gps_goes_and_the_rest_stays() -> None:
    image = delivered(answered(), strip_gps=True)
    assert GPS not in image.getexif() and image.getexif()[MAKER] == "Maker"
    assert GPS in delivered(answered(), max_size_px=64).getexif()


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_all_metadata_goes_but_the_profile(kind: str) -> None:
    image = delivered(answered(), kind, strip_metadata=True)
    assert MAKER not in image.getexif() and GPS not in image.getexif() and image.info["icc_profile"] == SRGB.tobytes()
    assert b"Maker" not in Delivery(strip_metadata=True).apply(answered(), Options(format=kind)).data


@pytest.mark.parametrize("options", [{"max_size_px": 10}, {"max_bytes": 5}])
def test_limits_that_make_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(OptionError):
        Delivery(**options)


def test_orders_differ_by_their_text() -> None:
    orders = [Order(), Order(Options(mode="fast")), Order(delivery=Delivery(srgb=True)), Order(delivery=Delivery(800))]
    assert len({order.text for order in orders}) == 4 and Order().text == ""


def test_shipped_presets_make_orders() -> None:
    assert set(presets(SHIPPED)) == {"mls", "web", "print"}
    assert preset("mls", SHIPPED)["max_bytes"] == 5_000_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nwidth = 5", r"preset 'a' sets 'width': there are mode, strength"),
        ("[a]\nmax-size = '5'", "sets max-size to '5': it takes a int"),
        ("a = 5", "is no table"),
        ("[a", "is no file of presets"),
        ("[b]", "no preset 'a': choose one of b"),
    ],
)
def test_wrong_presets_are_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "presets.toml").write_text(text)
    with pytest.raises(OptionError, match=message):
        preset("a", tmp_path / "presets.toml")
