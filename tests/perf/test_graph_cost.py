"""Counting: a small graph by hand, the served graph by PyTorch's own counter."""

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.utils.flop_counter import FlopCounterMode

from deploy.server import MODEL_REPOSITORY
from export.contract import read_contract
from perf.results import served
from perf.roofline.graph_cost import Graph, Traffic, UnknownOperation, by_itself, steps
from perf.runtimes.pytorch import WEIGHTS, shipped_network
from serving.versions import NETWORKS


def weights(name: str, *dims: int) -> TensorProto:
    return helper.make_tensor(name, TensorProto.FLOAT, dims, [0.5] * torch.Size(dims).numel())


def small_graph() -> onnx.ModelProto:
    """X [N,2,8,8], conv 3x3, rectifier: R [N,4,8,8]; R, conv 1x1, plus R: S; R and S joined, twice as large: Y."""
    nodes = [
        helper.make_node("Conv", ["X", "W1", "B1"], ["C"], "widen", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["C"], ["R"], "rectify"),
        helper.make_node("Conv", ["R", "W2"], ["D"], "mix", kernel_shape=[1, 1]),
        helper.make_node("Add", ["D", "R"], ["S"], "skip"),
        helper.make_node("Concat", ["R", "S"], ["Z"], "join", axis=1),
        helper.make_node("Resize", ["Z", "", "scales"], ["Y"], "grow", mode="linear"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 2, 8, 8])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 8, 16, 16])],
        [
            weights("W1", 4, 2, 3, 3),
            weights("B1", 4),
            weights("W2", 4, 4, 1, 1),
            helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 2.0, 2.0]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_a_small_graph_counted_by_hand() -> None:
    widen, mix, grow = steps(Graph(small_graph()))
    values = 4 * 8 * 8
    assert widen.matrix_flops == values * 2 * (2 * 3 * 3)  # each value: 18 multiplications and additions
    assert widen.other_flops == values + values  # bias, rectifier
    assert widen.traffic == Traffic(
        activations=values, weights=72 + 4, end_bytes=4 * 2 * 8 * 8
    )  # R is kept, C never is
    assert mix.matrix_flops == values * 2 * 4 and mix.other_flops == values  # the sum
    assert mix.traffic == Traffic(activations=values + values, weights=16)  # reads R once, writes S
    assert grow.matrix_flops == 0 and grow.other_flops == 8 * 16 * 16 * 2 * 4  # four neighbours
    assert grow.traffic == Traffic(
        activations=2 * values, weights=4, end_bytes=4 * 8 * 16 * 16
    )  # reads R and S, no copy of both


def test_nothing_fused_moves_every_result() -> None:
    values = 4 * 8 * 8
    # written and read: C, R (three readers, concat's through the resize), D, S; once: X, Y, weights
    expected = Traffic(activations=values * (2 + 4 + 2 + 2), weights=72 + 4 + 16 + 4, end_bytes=4 * (2 * 64 + 8 * 256))
    assert by_itself(Graph(small_graph())) == expected


def test_a_batch_multiplies_all_but_the_weights() -> None:
    for one, three in zip(steps(Graph(small_graph(), 1)), steps(Graph(small_graph(), 3)), strict=True):
        assert three.flops == 3 * one.flops
        assert three.traffic.weights == one.traffic.weights
        assert three.traffic.activations == 3 * one.traffic.activations
        assert three.traffic.end_bytes == 3 * one.traffic.end_bytes


def test_half_precision_halves_all_but_the_ends() -> None:
    traffic = Traffic(activations=10, weights=3, end_bytes=20)
    assert (traffic.bytes(4), traffic.bytes(2)) == (72, 46)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_served_graph_has_the_operations_that_pytorch_counts(network: str) -> None:
    if not (WEIGHTS / f"{network}.safetensors").exists():
        pytest.skip("no weights of it ship yet")
    model = onnx.load(served(network))
    counted = sum(step.matrix_flops for step in steps(Graph(model, batch=2)))
    contract = read_contract(MODEL_REPOSITORY / network)
    tiles = [torch.zeros(each.batched(2), dtype=getattr(torch, each.dtype.name)) for each in contract.inputs]
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        shipped_network(network)(*tiles)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize("network", NETWORKS)
def test_fusing_saves_traffic_but_never_the_ends_and_weights(network: str) -> None:
    graph = Graph(onnx.load(served(network)))
    fused = sum((step.traffic for step in steps(graph)), Traffic())
    alone = by_itself(graph)
    assert fused.activations < alone.activations
    assert fused.weights >= sum(graph.elements(name) for name in graph.weights if "weight" in name)
    ends = sum(graph.elements(name) * size for name, size in graph.end_bytes.items())
    assert 0.95 * ends < fused.end_bytes <= ends  # a plane that occurs in the output more than once counts once


def test_an_operation_that_cannot_be_counted_is_named() -> None:
    model = small_graph()
    model.graph.node[1].op_type = "Erf"
    with pytest.raises(UnknownOperation, match=r"Erf \(rectify\)"):
        steps(Graph(model))
