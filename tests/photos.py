"""Photos, files and networks that the tests make."""

import io

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

from pixels.curves import CELLS, KNOTS
from pixels.tiling import TILE_PX


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


def identity_onnx(network: str) -> onnx.ModelProto:
    """A network with the served one's inputs and outputs whose edit changes nothing."""
    return {"generator": lambda: gamma_onnx(1.0), "refiner": _identity_refiner}[network]()


def gamma_onnx(gamma: float) -> onnx.ModelProto:
    """A generator whose every curve is one power of the value, whatever the photo; 1 changes nothing."""
    values = np.asarray(KNOTS, np.float32) ** np.float32(gamma)
    line = np.tile(values, 3)[:, None, None].repeat(CELLS, 1).repeat(CELLS, 2)
    nodes = [
        helper.make_node("ReduceMean", ["COARSE", "axes"], ["mean"]),
        helper.make_node("Mul", ["mean", "nothing"], ["offset"]),
        helper.make_node("Add", ["offset", "line"], ["CURVES"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("line", TensorProto.FLOAT, line.shape, line.tobytes(), raw=True),
    ]
    return _model(nodes, ["COARSE"], TensorProto.FLOAT, "CURVES", line.shape, constants)


def _identity_refiner() -> onnx.ModelProto:
    """The applied tile comes back, whatever the photo was."""
    nodes = [
        helper.make_node("Max", ["PHOTO", "APPLIED"], ["more"]),
        helper.make_node("Min", ["more", "APPLIED"], ["REFINED"]),
    ]
    return _model(nodes, ["PHOTO", "APPLIED"], TensorProto.UINT8, "REFINED", (TILE_PX, TILE_PX, 3), [])


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[str],
    kind: int,
    output: str,
    shape: tuple[int, ...],
    constants: list[onnx.TensorProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "identity",
        [helper.make_tensor_value_info(name, kind, ["N", TILE_PX, TILE_PX, 3]) for name in inputs],
        [helper.make_tensor_value_info(output, kind, ["N", *shape])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
