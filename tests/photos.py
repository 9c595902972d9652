"""Photos, files and networks that the tests make."""

import io

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image


def photo(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Soft random colours with fine grain, uint8 (height, width, 3): content at every scale."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (5, 7, 3)).astype(np.float32)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft + rng.normal(0, 4, (height, width, 1)), 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8] | Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """A photo file in memory."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(file: bytes) -> NDArray[np.uint8]:
    """A photo file's pixels by Pillow, uint8 (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def identity_onnx() -> onnx.ModelProto:
    """A generator with the shipped one's inputs and outputs that returns its tiles unchanged."""
    nodes = [
        helper.make_node("Mul", ["EXPONENT", "nothing"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "shape"], ["offset"]),
        helper.make_node("Add", ["TILE", "offset"], ["EDITED"]),
    ]
    tile = ["N", 3, 512, 512]
    graph = helper.make_graph(
        nodes,
        "identity",
        [
            helper.make_tensor_value_info("TILE", TensorProto.FLOAT, tile),
            helper.make_tensor_value_info("EXPONENT", TensorProto.FLOAT, ["N", 3]),
        ],
        [helper.make_tensor_value_info("EDITED", TensorProto.FLOAT, tile)],
        [
            helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0.0]),
            helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 3, 1, 1]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
