"""Every kind of photo file to every format, through the real server, compared by pixels; strength 0 changes nothing."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from clients import Enhancer
from clients.errors import PhotoError
from codec.options import EXTENSIONS
from deploy.server.triton import TritonServer
from tests.kinds import CMYK_PROFILE, KINDS, RGB, Kind, tiff
from tests.photos import decoded, encoded


@pytest.fixture(scope="module")
def enhancer(server: TritonServer) -> Iterator[Enhancer]:
    with Enhancer(server.grpc_url) as opened:
        yield opened


def answers(enhancer: Enhancer, file: bytes, format: str) -> dict[str, bytes]:
    """The photo in every format, edited by nothing; in its own without naming it."""

    def answer(wanted: str) -> bytes:
        named = "same" if wanted == format else wanted
        return enhancer.enhance(file, format=named, strength=0, mode="fast").data

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(EXTENSIONS, pool.map(answer, EXTENSIONS), strict=True))


def lossless(file: bytes) -> NDArray[Any]:
    """Pixels of an answer in PNG or TIFF, all bits."""
    if file[:2] == b"II":
        return tifffile.imread(io.BytesIO(file))
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_right_in_every_format(enhancer: Enhancer, kind: Kind) -> None:
    files = answers(enhancer, kind.file, kind.format)
    np.testing.assert_array_equal(lossless(files["png"]), kind.pixels)
    np.testing.assert_array_equal(lossless(files["tiff"]), kind.pixels)
    eight = kind.pixels if kind.pixels.dtype == np.uint8 else ((kind.pixels + 128.0) // 257).astype(np.uint8)
    np.testing.assert_array_equal(decoded(files["jpeg"]), decoded(encoded(eight[..., :3], "JPEG", quality=92)))
    webp = Image.open(io.BytesIO(files["webp"]))
    np.testing.assert_array_equal(webp, Image.open(io.BytesIO(encoded(eight, "WEBP", quality=92))))
    for file in files.values():
        assert_upright(Image.open(io.BytesIO(file)))


def assert_upright(image: Image.Image) -> None:
    """No orientation but 1 is left, wherever it hides."""
    assert image.getexif().get(0x0112, 1) == 1
    assert b"Orientation" not in image.info.get("xmp", b"") or b'Orientation="1"' in image.info["xmp"]


def test_a_profile_of_other_colours_stays_behind(enhancer: Enhancer) -> None:
    file = encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG", icc_profile=CMYK_PROFILE)
    for answer in answers(enhancer, file, "jpeg").values():
        assert "icc_profile" not in Image.open(io.BytesIO(answer)).info


def test_lab_is_refused_by_name(enhancer: Enhancer) -> None:
    with pytest.raises(PhotoError, match="Lab"):
        enhancer.enhance(tiff(RGB, "cielab"))
