"""What TensorRT says of a plan's layers, in the words of both majors."""

from typing import Any

import pytest

from export.errors import ExportError
from export.layers import precision, require_fp16

HALF_10 = {"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}
FULL_10 = {"Format/Datatype": "Row major linear FP32"}
DYNAMIC_10 = {"Format/Datatype": "N/A due to dynamic shapes"}
HALF_11 = {"Format": "Channel major format where channel % 8 == 0", "DataType": "Half"}
FULL_11 = {"Format": "Row major linear format", "DataType": "Float"}


def convolution(name: str, *tensors: dict[str, str], **fields: object) -> dict[str, Any]:
    return {
        "Name": name,
        "LayerType": "CaskConvolution",
        "Inputs": list(tensors[:1]),
        "Outputs": list(tensors[1:]),
        **fields,
    }


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (convolution("middle", HALF_10, HALF_10), "FP16"),
        (convolution("first", FULL_10, HALF_10), "FP16"),
        (convolution("full", FULL_10, FULL_10), "FP32"),
        (convolution("unnamed", DYNAMIC_10, DYNAMIC_10), "unknown"),
        (convolution("weights", DYNAMIC_10, DYNAMIC_10, Weights={"Type": "Half", "Count": 9}), "FP16"),
        (convolution("weights", FULL_10, HALF_10, Weights={"Type": "Float", "Count": 9}), "FP32"),
        (convolution("middle", HALF_11, HALF_11), "FP16"),
        (convolution("full", FULL_11, FULL_11), "FP32"),
    ],
)
def test_precision(layer: dict[str, Any], expected: str) -> None:
    assert precision(layer) == expected


def test_one_convolution_in_fp32_is_named() -> None:
    layers = [convolution("good", HALF_11, HALF_11), convolution("bad", FULL_11, FULL_11)]
    with pytest.raises(ExportError, match="1 of 2 convolutions in FP32, such as bad"):
        require_fp16({"Layers": layers})


@pytest.mark.parametrize(
    "layers", [[], ["only", "names"], [{"Name": "move", "LayerType": "Reformat", "Inputs": [HALF_10]}]]
)
def test_nothing_shown_is_nothing_proven(layers: list[Any]) -> None:
    with pytest.raises(ExportError, match="shows no FP16 convolution"):
        require_fp16({"Layers": layers})


def test_elementwise_layers_may_stay_in_fp32() -> None:
    ends = {"Name": "metering", "LayerType": "PointWiseV2", "Inputs": [FULL_10], "Outputs": [FULL_10]}
    assert require_fp16({"Layers": [ends, convolution("good", HALF_10, HALF_10)]}) == {"FP16": 1}
