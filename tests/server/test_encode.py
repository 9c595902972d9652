"""encode, called directly by whoever reaches it: its limits hold there, too."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient import grpc

from deploy.server.triton import TritonServer
from tests.codec.files import empty_png
from tests.photos import decoded, encoded, photo

PIXELS = photo(64, 48)
PNG = encoded(PIXELS, "PNG")


def encode(
    server: TritonServer, pixels: NDArray[np.uint8], file: bytes, timeout_us: int | None = None, **options: object
) -> bytes:
    client = grpc.InferenceServerClient(f"127.0.0.1:{server.ports.grpc}")
    tensors = {"ENHANCED_PIXELS": pixels, "IMAGE": np.frombuffer(file, np.uint8)}
    inputs = [grpc.InferInput(name, tensor.shape, "UINT8") for name, tensor in tensors.items()]
    for each, tensor in zip(inputs, tensors.values(), strict=True):
        each.set_data_from_numpy(tensor)
    return client.infer("encode", inputs, parameters=options, timeout=timeout_us).as_numpy("ENHANCED").tobytes()


def test_pixels_and_their_photo_become_a_file(identity_server: TritonServer) -> None:
    np.testing.assert_array_equal(decoded(encode(identity_server, PIXELS, PNG)), PIXELS)


@pytest.mark.parametrize(
    ("pixels", "file", "reason"),
    [
        (PIXELS[:, :63], PNG, r"shape \[48, 63, 3\] and IMAGE makes \[48, 64, 3\]"),
        (PIXELS.transpose(1, 0, 2), PNG, "send the pixels of this photo"),
        (np.dstack([PIXELS, PIXELS[..., :1]]), PNG, "send the pixels of this photo"),
        (PIXELS[:0], PNG, "send the pixels of this photo"),
        (np.zeros((4, 4, 5), np.uint8), PNG, "send the pixels of this photo"),
        (PIXELS, b"text", "not a photo"),
        (PIXELS, b"", "empty"),
        (np.zeros((1, 1, 3), np.uint8), empty_png(20_000, 20_000), "400 megapixels.* up to 120 megapixels"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    identity_server: TritonServer, pixels: NDArray[np.uint8], file: bytes, reason: str
) -> None:
    with pytest.raises(grpc.InferenceServerException, match=reason) as caught:
        encode(identity_server, np.ascontiguousarray(pixels), file)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_too_wide_for_webp_is_said(identity_server: TritonServer) -> None:
    wide = np.zeros((2, 16_384, 3), np.uint8)
    with pytest.raises(grpc.InferenceServerException, match=r"webp holds up to 16383 .*format png or tiff") as caught:
        encode(identity_server, wide, encoded(wide, "PNG"), format="webp")
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_nobody_is_answered_after_the_timeout(identity_server: TritonServer) -> None:
    with pytest.raises(grpc.InferenceServerException, match="timeout passed") as caught:
        encode(identity_server, PIXELS, PNG, timeout_us=1)
    assert caught.value.status() == "StatusCode.CANCELLED"
