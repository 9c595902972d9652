"""The answer's format, and the metadata that comes with it."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from clients import Enhancer
from deploy.server.triton import TritonServer
from tests.photos import decoded, encoded, photo

PIXELS = photo(331, 247)
IMAGE = Image.fromarray(PIXELS)
PNG = encoded(IMAGE, "PNG")


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_the_answer_has_the_photos_format_or_the_wanted_one(identity_server: TritonServer, kind: str) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        assert enhancer.enhance(encoded(IMAGE, kind.upper())).format == kind
        assert enhancer.enhance(PNG, format=kind).format == kind


def test_a_png_named_jpg_works(identity_server: TritonServer, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.jpg"
    renamed.write_bytes(PNG)
    with Enhancer(identity_server.grpc_url) as enhancer:
        np.testing.assert_array_equal(decoded(enhancer.enhance(renamed).data), PIXELS)


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


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_odd_metadata_is_no_error(identity_server: TritonServer, kind: str) -> None:
    """EXIF of nearly 64 KB, a profile of 1.5 MB, a resolution of nothing."""
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x010E: "d" * 60_000, 0x011A: 0.0, 0x011B: 1e9})
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(1_500_000))
    profile[:4] = len(profile).to_bytes(4, "big")
    file = encoded(IMAGE, "JPEG", exif=exif, icc_profile=bytes(profile))
    with Enhancer(identity_server.grpc_url) as enhancer:
        answer = Image.open(io.BytesIO(enhancer.enhance(file, format=kind).data))
    assert answer.getexif()[0x010F] == "Maker"
    assert answer.info.get("icc_profile") == (None if kind == "png" else bytes(profile))
