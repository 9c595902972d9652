"""Bad input gets one clear INVALID_ARGUMENT, its neighbours are served, and the next request works."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from clients import Enhancer
from clients.errors import PhotoError
from clients.request import INPUT, MODEL
from deploy.server.triton import TritonServer
from tests.codec.files import empty_png
from tests.photos import decoded, encoded, photo

PIXELS = photo(320, 240)
JPEG = encoded(PIXELS)


BAD = {
    "text": (b"Dear server, please enhance my kitchen.", "not a photo that can be read"),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], "damaged or incomplete"),
    "truncated PNG": (encoded(PIXELS, "PNG")[:5000], "damaged or incomplete"),
    "60000x60000": (empty_png(60000, 60000), r"60000 x 60000 pixels \(3600 megapixels\).* up to 120 megapixels"),
    "GIF": (encoded(PIXELS, "GIF"), "not a photo that can be read; send the bytes of a JPEG, PNG, TIFF or WebP"),
    "animation": (
        encoded(Image.fromarray(PIXELS), "WEBP", save_all=True, append_images=[Image.fromarray(255 - PIXELS)]),
        "holds 2 pictures",
    ),
}


@pytest.mark.parametrize("url", ["grpc_url", "http_url"])
@pytest.mark.parametrize("name", BAD)
def test_bad_photos_are_refused_with_a_reason(identity_server: TritonServer, url: str, name: str) -> None:
    file, reason = BAD[name]
    with Enhancer(getattr(identity_server, url)) as enhancer:
        with pytest.raises(PhotoError, match=reason):
            enhancer.enhance(file)
        assert decoded(enhancer.enhance(JPEG).data).shape == PIXELS.shape


def test_an_empty_body_is_refused(identity_server: TritonServer) -> None:
    """Below the client, which would not send it."""
    from tritonclient import grpc

    client = grpc.InferenceServerClient(f"127.0.0.1:{identity_server.ports.grpc}")
    nothing = grpc.InferInput(INPUT, [0], "UINT8")
    nothing.set_data_from_numpy(np.zeros(0, np.uint8))
    with pytest.raises(grpc.InferenceServerException, match="empty") as caught:
        client.infer(MODEL, [nothing])
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_a_bad_photo_does_not_sink_its_neighbours(identity_server: TritonServer) -> None:
    files = [encoded(photo(200 + i, 300, seed=i), "PNG") for i in range(6)]
    files[2:2] = [file for file, _ in BAD.values()]

    def served(file: bytes) -> bool:
        try:
            return bool(enhancer.enhance(file).data)
        except PhotoError:
            return False

    with Enhancer(identity_server.grpc_url) as enhancer, ThreadPoolExecutor(len(files)) as pool:
        assert list(pool.map(served, files)) == [True] * 2 + [False] * len(BAD) + [True] * 4


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [({"mode": "quick"}, "must be one of full, fast"), ({"strenght": "1"}, "unknown request parameter 'strenght'")],
)
def test_bad_options_are_refused(identity_server: TritonServer, parameters: dict[str, str], reason: str) -> None:
    from tritonclient import http

    client = http.InferenceServerClient(f"127.0.0.1:{identity_server.ports.http}")
    image = http.InferInput(INPUT, [len(JPEG)], "UINT8")
    image.set_data_from_numpy(np.frombuffer(JPEG, np.uint8))
    with pytest.raises(http.InferenceServerException, match=reason):
        client.infer(MODEL, [image], parameters=parameters)
