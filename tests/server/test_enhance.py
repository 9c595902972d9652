"""A photo through the real ensemble, over both protocols."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from clients import Enhancer
from deploy.demo import SAMPLE
from deploy.server.triton import TritonServer
from pixels.tiling import PHASE_PX, segments
from tests.photos import decoded, encoded, photo

PROTOCOLS = ["grpc_url", "http_url"]


@pytest.mark.parametrize("url", PROTOCOLS)
@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 700), (511, 513), (1200, 800)])
def test_identity_in_identity_out(identity_server: TritonServer, url: str, mode: str, width: int, height: int) -> None:
    before = photo(width, height)
    with Enhancer(getattr(identity_server, url)) as enhancer:
        answer = enhancer.enhance(encoded(before, "PNG"), mode=mode)
    np.testing.assert_array_equal(decoded(answer.data), before)


def test_photos_of_different_size_at_once(identity_server: TritonServer) -> None:
    photos = [photo(300 + 211 * i, 900 - 83 * i, seed=i) for i in range(6)]
    with Enhancer(identity_server.grpc_url) as enhancer, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda pixels: enhancer.enhance(encoded(pixels, "PNG"), mode="full").data, photos))
    for before, answer in zip(photos, answers, strict=True):
        np.testing.assert_array_equal(decoded(answer), before)


@pytest.mark.parametrize("url", PROTOCOLS)
def test_the_shipped_model_edits_at_full_resolution(server: TritonServer, url: str) -> None:
    before = np.rint(photo(1504, 1000) * 0.4).astype(np.uint8)  # an underexposed photo
    with Enhancer(getattr(server, url)) as enhancer:
        answer = enhancer.enhance(encoded(before, quality=95))
    after = decoded(answer.data)
    assert after.shape == before.shape
    assert after.mean() > before.mean() * 1.3


def test_alone_and_in_company_alike(server: TritonServer) -> None:
    file = encoded(photo(900, 700), "PNG")
    others = [encoded(photo(800, 800, seed=i), "PNG") for i in range(1, 5)]
    with Enhancer(server.grpc_url) as enhancer, ThreadPoolExecutor(5) as pool:
        alone = decoded(enhancer.enhance(file, mode="full").data)
        crowd = list(pool.map(lambda each: enhancer.enhance(each, mode="full").data, [file, *others]))
    assert np.abs(decoded(crowd[0]).astype(int) - alone).max() <= 1


@pytest.mark.parametrize("source", ["made", "sample"])
def test_no_seam_is_visible(server: TritonServer, source: str) -> None:
    """3008 x 2000: differences across the borders of tiles are like those beside them, within 5 %.

    Like with like: the refiner works in blocks of pixels, and borders lie between blocks.
    """
    grain = np.random.default_rng(0).normal(0, 4, (2000, 3008, 3))
    sample = cv2.resize(decoded(SAMPLE.read_bytes()), (3008, 2000)) + grain
    made = {"made": photo(3008, 2000), "sample": np.clip(sample, 0, 255).astype(np.uint8)}
    with Enhancer(server.grpc_url) as enhancer:
        after = decoded(enhancer.enhance(encoded(made[source], "PNG"), mode="full", format="png").data).astype(int)
    assert after.shape == (2000, 3008, 3)
    for axis, length in ((0, 2000), (1, 3008)):
        steps = np.abs(np.diff(after, axis=axis)).mean(axis=(2, 1 - axis))
        borders = [each.kept_stop_px - 1 for each in segments(length)[:-1]]
        beside = [border + blocks * PHASE_PX for border in borders for blocks in (-5, -4, -3, -2, 2, 3, 4, 5)]
        assert steps[borders].mean() == pytest.approx(steps[beside].mean(), rel=0.05)


def test_strength_zero_returns_the_photo(server: TritonServer) -> None:
    before = photo(700, 600)
    with Enhancer(server.grpc_url) as enhancer:
        answer = enhancer.enhance(encoded(before, "PNG"), strength=0)
    np.testing.assert_array_equal(decoded(answer.data), before)
