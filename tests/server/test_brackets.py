"""The frames of one scene through the real ensemble, over both protocols."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from clients import Enhancer
from clients.errors import PhotoError
from deploy.server.triton import TritonServer
from tests.photos import decoded, encoded, photo
from tests.server.test_enhance import PROTOCOLS

EXPOSURES_EV = (-2, 0, 2)


def exposed(scene: NDArray[np.uint8], ev: float) -> NDArray[np.uint8]:
    """A photo as if it had been taken with more light."""
    return np.clip(255 * (scene / 255) * 2 ** (ev / 2.2) + 0.5, 0, 255).astype(np.uint8)


def frames_of(width: int, height: int, seed: int = 0, kind: str = "PNG") -> list[bytes]:
    scene = np.rint(photo(width, height, seed) * 0.8).astype(np.uint8)
    return [encoded(exposed(scene, ev), kind) for ev in EXPOSURES_EV]


@pytest.mark.parametrize("url", PROTOCOLS)
def test_merged_frames_hold_what_each_recorded(identity_server: TritonServer, url: str) -> None:
    """In proportion to the light of the darkest frame, where nothing clips; 16 bits, as large as a frame."""
    frames = frames_of(640, 480)
    with Enhancer(getattr(identity_server, url)) as enhancer:
        answer = enhancer.merge(frames, mode="fast", format="png")
    merged = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert merged.shape == (480, 640, 3) and merged.dtype == np.uint16
    darkest = decoded(frames[0]).astype(float)
    ratio = merged[darkest > 30] / 257 / darkest[darkest > 30]
    assert np.percentile(ratio, 95) / np.percentile(ratio, 5) < 1.08


def test_one_frame_is_enhanced_as_a_photo(server: TritonServer) -> None:
    file = encoded(photo(600, 400))
    with Enhancer(server.grpc_url) as enhancer:
        assert enhancer.merge([file]).data == enhancer.enhance(file).data


def refused(server: TritonServer, frames: list[bytes]) -> str:
    with Enhancer(server.grpc_url) as enhancer, pytest.raises(PhotoError) as refusal:
        enhancer.merge(frames, mode="fast")
    return str(refusal.value)


def test_a_frame_that_does_not_belong_is_named(identity_server: TritonServer) -> None:
    one, two, three = frames_of(640, 480, kind="JPEG")
    assert refused(identity_server, [one, two, frames_of(600, 480)[2]]).startswith("frame 3 has 600 x 480 pixels")
    assert refused(identity_server, [one, frames_of(640, 480, seed=5)[0], two, three]).startswith("frame 2 differs")
    assert refused(identity_server, [one, three[: len(three) // 2], two]).startswith(
        "frame 2: the JPEG file is damaged"
    )
    assert refused(identity_server, [one, two, b"a note"]).startswith("frame 3: this is not a photo")
