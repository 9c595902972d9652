"""Photo files of every kind that cameras and editors write."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from clients import Enhancer
from deploy.server import TritonServer
from tests.photos import decoded, encoded, photo

PIXELS = photo(331, 247)
IMAGE = Image.fromarray(PIXELS)
FILES = {
    "progressive JPEG": encoded(IMAGE, "JPEG", progressive=True),
    "grey JPEG": encoded(IMAGE.convert("L"), "JPEG"),
    "CMYK JPEG": encoded(IMAGE.convert("CMYK"), "JPEG"),
    "PNG": encoded(IMAGE, "PNG"),
    "palette PNG": encoded(IMAGE.convert("P"), "PNG"),
    "grey PNG": encoded(IMAGE.convert("L"), "PNG"),
    "TIFF": encoded(IMAGE, "TIFF"),
    "LZW TIFF": encoded(IMAGE, "TIFF", compression="tiff_lzw"),
    "WebP": encoded(IMAGE, "WEBP", quality=90),
    "lossless WebP": encoded(IMAGE, "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_is_read_as_pillow_reads_it(identity_server: TritonServer, name: str) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = enhancer.enhance(FILES[name], format="png")
    np.testing.assert_array_equal(decoded(answer.data), decoded(FILES[name]))


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_the_answer_has_the_photos_format_or_the_wanted_one(identity_server: TritonServer, kind: str) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        assert enhancer.enhance(encoded(IMAGE, kind.upper())).format == kind
        assert enhancer.enhance(FILES["PNG"], format=kind).format == kind


def test_a_png_named_jpg_works(identity_server: TritonServer, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.jpg"
    renamed.write_bytes(FILES["PNG"])
    with Enhancer(identity_server.grpc_url) as enhancer:
        np.testing.assert_array_equal(decoded(enhancer.enhance(renamed).data), PIXELS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_reset(identity_server: TritonServer, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera maker"
    file = encoded(IMAGE, kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = Image.open(io.BytesIO(enhancer.enhance(file, format="png").data))
    np.testing.assert_array_equal(np.asarray(answer), np.asarray(upright))
    assert answer.getexif()[0x0112] == 1
    assert answer.getexif()[0x010F] == "Camera maker"


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_metadata_comes_back(identity_server: TritonServer, kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x8298] = "Copyright of the studio"
    file = encoded(IMAGE, "JPEG", exif=exif, icc_profile=profile, dpi=(300, 300))
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = Image.open(io.BytesIO(enhancer.enhance(file, format=kind).data))
    assert answer.info["icc_profile"] == profile
    assert answer.getexif()[0x8298] == "Copyright of the studio"
    if kind != "webp":  # which has no resolution of its own
        assert answer.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("source", [".png", ".tiff"])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_stay_sixteen_bits(identity_server: TritonServer, source: str, kind: str) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (240, 320, 3)).astype(np.uint16)
    file = cv2.imencode(source, deep)[1].tobytes()
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = enhancer.enhance(file, format=kind).data
    back = cv2.imdecode(np.frombuffer(answer, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(back, deep)


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_alpha_is_kept(identity_server: TritonServer, kind: str) -> None:
    with_alpha = np.dstack([PIXELS, PIXELS[..., 0]])
    file = encoded(Image.fromarray(with_alpha), "PNG")
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = Image.open(io.BytesIO(enhancer.enhance(file, format=kind, quality=100).data))
    np.testing.assert_array_equal(np.asarray(answer.getchannel("A")), PIXELS[..., 0])
