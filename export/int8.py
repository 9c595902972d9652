"""INT8: the convolutions between QuantizeLinear and DequantizeLinear, with ranges taken from photos.

Both TensorRT majors build such a graph as it stands. Scales are symmetric (TensorRT wants zero points of 0), weights
have one for each channel.
"""

import copy
import tempfile
from pathlib import Path

import onnx
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "int8.onnx")
        quantize_static(
            copy.deepcopy(model),
            path,
            Tiles(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
        )
        return clean(onnx.load(path))
