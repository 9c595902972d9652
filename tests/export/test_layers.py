"""What TensorRT says of a plan's layers, in the words of both majors and of Myelin."""

from typing import Any

import pytest
from onnx import TensorProto, helper

from export.errors import ExportError
from export.layers import UNKNOWN, half_convolutions, onnx_nodes, precision, precisions

HALF_10 = {"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}
FULL_10 = {"Format/Datatype": "Row major linear FP32"}
DYNAMIC_10 = {"Format/Datatype": "N/A due to dynamic shapes"}
HALF_11 = {"Format": "Channel major format where channel % 8 == 0", "DataType": "Half"}
FULL_11 = {"Format": "Row major linear format", "DataType": "Float"}
HALF_TACTIC = {"TacticName": "sm80_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x128x32"}
FULL_TACTIC = {"TacticName": "sm80_xmma_fprop_implicit_gemm_tf32f32_tf32f32_f32_nhwckrsc_nhwc"}


def layer(name: str, *tensors: dict[str, str], kind: str = "CaskConvolution", **fields: object) -> dict[str, Any]:
    return {"Name": name, "LayerType": kind, "Inputs": list(tensors[:1]), "Outputs": list(tensors[1:]), **fields}


def made_of(*nodes: str) -> str:
    return "\x1e".join(f"[ONNX Layer: {node}]" for node in nodes)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (layer("middle", HALF_10, HALF_10), "FP16"),
        (layer("first", FULL_10, HALF_10), "FP16"),
        (layer("full", FULL_10, FULL_10), "FP32"),
        (layer("unnamed", DYNAMIC_10, DYNAMIC_10), UNKNOWN),
        (layer("weights", DYNAMIC_10, DYNAMIC_10, Weights={"Type": "Half", "Count": 9}), "FP16"),
        (layer("weights", FULL_10, HALF_10, Weights={"Type": "Float", "Count": 9}), "FP32"),
        (layer("int8", HALF_10, HALF_10, Weights={"Type": "Int8", "Count": 9}), "INT8"),
        (layer("middle", HALF_11, HALF_11), "FP16"),
        (layer("full", FULL_11, FULL_11), "FP32"),
        (layer("tactic", FULL_11, FULL_11, **HALF_TACTIC), "FP16"),
        (layer("tactic", HALF_11, HALF_11, **FULL_TACTIC), "FP32"),
    ],
)
def test_precision(found: dict[str, Any], expected: str) -> None:
    assert precision(found) == expected


def test_myelins_layers_are_known_by_the_nodes_they_are_made_of() -> None:
    """One layer of two convolutions, whose own name is Myelin's; another that only converts the first one's input."""
    layers = [
        layer("__myl_Cast", FULL_11, FULL_11, kind="kgen", Metadata=made_of("conv_a")),
        layer("__myl_ConvSiluConv", HALF_11, HALF_11, kind="gemm", Metadata=made_of("conv_a", "silu", "conv_b")),
    ]
    assert precisions({"Layers": layers}, {"conv_a", "conv_b"}).found == {"conv_a": "FP16", "conv_b": "FP16"}
    assert onnx_nodes({"Name": "plain"}) == {"plain"}


def test_one_convolution_that_fell_back_is_named() -> None:
    layers = [layer("good", HALF_11, HALF_11), layer("bad", FULL_11, FULL_11)]
    with pytest.raises(ExportError, match="1 of 2 FP16 convolutions in another precision, such as bad in FP32"):
        precisions({"Layers": layers}, {"good", "bad"}).require_fp16()


@pytest.mark.parametrize("layers", [[], ["only", "names"], [layer("move", HALF_10, HALF_10, kind="Reformat")]])
def test_nothing_shown_is_a_warning(layers: list[Any]) -> None:
    found = precisions({"Layers": layers}, {"conv_a", "conv_b"})
    assert found.require_fp16() == "could not tell the precision of 2 of 2 convolutions"
    assert found.count() == {UNKNOWN: 2}


def test_layers_that_disagree_are_not_told() -> None:
    layers = [
        layer("a", HALF_11, HALF_11, Metadata=made_of("conv")),
        layer("b", FULL_11, FULL_11, Metadata=made_of("conv")),
    ]
    assert precisions({"Layers": layers}, {"conv"}).found == {"conv": UNKNOWN}


def test_all_in_half_precision_is_no_warning() -> None:
    found = precisions({"Layers": [layer("good", HALF_10, HALF_10)]}, {"good"})
    assert found.require_fp16() is None and found.count() == {"FP16": 1}


def test_only_convolutions_with_half_weights_are_asked_about() -> None:
    """Fusion's and metering's stay in FP32 on purpose."""
    weights = [helper.make_tensor(f"{name}.weight", kind, [1], [0.5]) for name, kind in
               (("half", TensorProto.FLOAT16), ("full", TensorProto.FLOAT))]  # fmt: skip
    nodes = [helper.make_node("Conv", ["x", f"{name}.weight"], [name], name=name) for name in ("half", "full")]
    graph = helper.make_graph([*nodes, helper.make_node("Relu", ["half"], ["y"], name="relu")], "g", [], [], weights)
    assert half_convolutions(helper.make_model(graph)) == {"half"}
