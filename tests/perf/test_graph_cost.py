"""Counting: a small graph by hand, the served graph by PyTorch's own counter."""

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.utils.flop_counter import FlopCounterMode

from export.contract import read_contract
from export.networks import load_network
from files.checkout import MODEL_REPOSITORY
from perf.engines.table import WEIGHTS
from perf.errors import PerfError
from perf.results import served
from perf.roofline.graph_cost import Graph, Step, steps
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
    widen, mix, grow = steps(small_graph())
    values = 4 * 8 * 8
    assert widen.matrix_flops == values * 2 * (2 * 3 * 3)  # each value: 18 multiplications and additions
    assert widen.other_flops == values + values  # bias, rectifier
    assert (widen.values, widen.end_bytes) == (values + 72 + 4, 4 * 2 * 8 * 8)  # R is kept, C never is
    assert mix.matrix_flops == values * 2 * 4 and mix.other_flops == values  # the sum
    assert (mix.values, mix.end_bytes) == (values + values + 16, 0)  # reads R once, writes S
    assert grow.matrix_flops == 0 and grow.other_flops == 8 * 16 * 16 * 2 * 4  # four neighbours
    assert (grow.values, grow.end_bytes) == (2 * values + 4, 4 * 8 * 16 * 16)  # reads R and S, no copy of both


def test_a_batch_multiplies_all_but_the_weights() -> None:
    weights_of = (72 + 4, 16, 4)
    for one, three, fixed in zip(steps(small_graph(), 1), steps(small_graph(), 3), weights_of, strict=True):
        assert three.flops == 3 * one.flops
        assert three.values - fixed == 3 * (one.values - fixed)
        assert three.end_bytes == 3 * one.end_bytes


def test_half_precision_halves_all_but_the_ends() -> None:
    step = Step("step", matrix_flops=0, other_flops=0, values=13, end_bytes=20)
    assert (step.bytes(4), step.bytes(2)) == (72, 46)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_served_graph_has_the_operations_that_pytorch_counts(network: str) -> None:
    contract = read_contract(MODEL_REPOSITORY / network)
    counted = sum(step.matrix_flops for step in steps(onnx.load(served(network)), batch=2))
    tiles = [torch.zeros(each.batched(2), dtype=getattr(torch, each.dtype.name)) for each in contract.inputs]
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        load_network(contract, WEIGHTS / contract.weights)(*tiles)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize("network", NETWORKS)
def test_ends_and_weights_always_move(network: str) -> None:
    model = onnx.load(served(network))
    graph, network_steps = Graph(model), steps(model)
    weights_values = sum(graph.elements(name) for name in graph.weights if "weight" in name)
    assert sum(step.values for step in network_steps) > weights_values
    ends = sum(graph.elements(name) * size for name, size in graph.end_bytes.items())
    assert 0.95 * ends < sum(step.end_bytes for step in network_steps) <= ends  # a plane that occurs twice counts once


def test_an_operation_that_cannot_be_counted_is_named() -> None:
    model = small_graph()
    model.graph.node[1].op_type = "Erf"
    with pytest.raises(PerfError, match=r"Erf \(rectify\)"):
        steps(model)
