"""INT8: the convolutions between QuantizeLinear and DequantizeLinear, with ranges taken from photos.

Both TensorRT majors build such a graph as it stands. Scales are symmetric (TensorRT wants zero points of 0), weights
have one for each channel. The first convolutions, which see the photo, and the last, which make the edit, stay in FP32:
their rounding would be the photo's.
"""

import copy
import tempfile
from pathlib import Path

import onnx
import onnx_graphsurgeon as gs
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from export.compare import Feed
from export.graph import clean


class Tiles(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Feeds batches, once."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next batch, or None at the end."""
        return next(self.feeds, None)


def to_int8(model: onnx.ModelProto, calibration: list[Feed]) -> onnx.ModelProto:
    """Quantise the convolutions.

    Args:
        model: FP32, cleaned.
        calibration: batches of tiles like those that will be served.
    """
    prepared = copy.deepcopy(model)
    onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})  # it is clean already
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "int8.onnx")
        quantize_static(
            prepared,
            path,
            Tiles(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_left_alone(model),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
        )
        return clean(onnx.load(path))


def _left_alone(model: onnx.ModelProto) -> list[str]:
    """Names of the convolutions that add and subtract photos, and of the learned ones at the ends of the network."""
    nodes = gs.import_onnx(model).toposort().nodes
    return [node.name for node in nodes if node.op == "Conv" and not _learned(node)] + _ends(nodes)


def _learned(node: gs.Node) -> bool:
    """Whether it is a convolution with weights of the checkpoint; fusion has some with ones and zeros."""
    return bool(node.op == "Conv" and node.inputs[1].name.endswith(".weight"))


def _ends(nodes: list[gs.Node]) -> list[str]:
    """Names of the learned convolutions that have no other before them, or none behind."""
    behind, before = set[str](), set[str]()  # tensors that depend on a convolution; that one depends on
    ends = []
    for node in nodes:
        if any(tensor.name in behind for tensor in node.inputs):
            behind.update(tensor.name for tensor in node.outputs)
        elif _learned(node):
            behind.update(tensor.name for tensor in node.outputs)
            ends.append(node.name)
    for node in reversed(nodes):
        if any(tensor.name in before for tensor in node.outputs):
            before.update(tensor.name for tensor in node.inputs)
        elif _learned(node):
            before.update(tensor.name for tensor in node.inputs)
            ends.append(node.name)
    return ends
