"""What a network costs by its ONNX graph: operations, and bytes that must move, step by step.

A step is one of the graph's heavy operations (convolution, resize, pooling) with the element-wise operations that an
engine computes on its values before they reach memory: rectifiers, sums, clipping. What a step reads and writes is what
crosses its border. Concatenation and slicing move nothing: engines write parts straight into the whole.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx
from onnx import NodeProto, shape_inference

from perf.errors import PerfError

HEAVY = ("Conv", "AveragePool", "Resize")
VIEWS = (
    *("Concat", "Split", "Slice", "Pad", "Tile", "Expand", "Unsqueeze", "Squeeze", "Reshape", "Identity"),
    "Transpose",  # the operation that reads it reads in another order
)
ELEMENTWISE = (
    *("Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Log", "Reciprocal", "Clip", "LeakyRelu", "Relu", "Min", "Max"),
    *("Exp", "Neg", "Abs", "Tanh", "Round", "Cast"),
    "Softmax",  # over four values
)


class UnknownOperation(PerfError):
    """The graph holds an operation that is not counted yet."""


@dataclass(frozen=True)
class Traffic:
    """Values that a step moves.

    Attributes:
        activations: read or written between steps.
        weights: read, from initializers.
        end_bytes: of the graph's inputs and outputs, which have types of their own, read or written.
    """

    activations: int = 0
    weights: int = 0
    end_bytes: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(
            self.activations + other.activations, self.weights + other.weights, self.end_bytes + other.end_bytes
        )

    def bytes(self, value_bytes: int) -> int:
        """In bytes, for a network whose weights and activations take that many each."""
        return value_bytes * (self.activations + self.weights) + self.end_bytes


@dataclass(frozen=True)
class Step:
    """A heavy operation and what is computed with it.

    Attributes:
        name: its first node's.
        matrix_flops: of convolutions, a multiplication and an addition being two.
        other_flops: of all the rest, one for each value and operation.
        traffic: what crosses its border.
    """

    name: str
    matrix_flops: int
    other_flops: int
    traffic: Traffic

    @property
    def flops(self) -> int:
        """All operations."""
        return self.matrix_flops + self.other_flops


class Graph:
    """A graph with the shape of every tensor.

    Args:
        model: with one dynamic axis at most, the batch.
        batch: its size.
    """

    def __init__(self, model: onnx.ModelProto, batch: int = 1) -> None:
        graph = with_batch(model, batch).graph
        values = [*graph.input, *graph.output, *graph.value_info]
        self.nodes: list[NodeProto] = list(graph.node)
        self.weights = {each.name: tuple(each.dims) for each in graph.initializer}
        self.shapes: dict[str, tuple[int, ...]] = {
            each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim) for each in values
        }
        self.shapes |= self.weights
        self.producers = {name: node for node in graph.node for name in node.output}
        self.end_bytes = {
            each.name: onnx.helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type).itemsize
            for each in (*graph.input, *graph.output)
        }

    def elements(self, name: str) -> int:
        """Number of values of a tensor."""
        return math.prod(self.shapes[name])


def with_batch(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    """A copy with that batch and the shape of every tensor."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = batch
    return shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)


def steps(graph: Graph) -> list[Step]:
    """The graph's steps, in order.

    Raises:
        UnknownOperation: names an operation that has to be added here.
    """
    groups = gather(graph)
    members: dict[int, list[NodeProto]] = {}
    for node in graph.nodes:
        members.setdefault(groups[node.output[0]], []).append(node)
    return [step(graph, groups, number, nodes) for number, nodes in sorted(members.items())]


def step(graph: Graph, groups: dict[str, int], number: int, nodes: list[NodeProto]) -> Step:
    """Add up the nodes of one step."""
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    others = [node for node in nodes if node.op_type != "Conv"]
    biased = [node for node in convolutions if len(node.input) > 2]
    return Step(
        name=nodes[0].name,
        matrix_flops=sum(flops(graph, node) for node in convolutions),
        other_flops=sum(flops(graph, node) for node in others) + sum(graph.elements(node.output[0]) for node in biased),
        traffic=traffic(graph, groups, number),
    )


def gather(graph: Graph) -> dict[str, int]:
    """Number of the step that computes each tensor: that of the last of its inputs, but heavy operations open one.

    All other inputs of a step's operations come from earlier steps, so steps can run one after another.
    """
    groups: dict[str, int] = {}
    opened = 0
    for node in graph.nodes:
        before = [groups[name] for name in node.input if name in groups]
        if node.op_type in HEAVY or not before:
            opened += 1
        groups |= dict.fromkeys(node.output, opened if node.op_type in HEAVY or not before else max(before))
    return groups


def traffic(graph: Graph, groups: dict[str, int], number: int) -> Traffic:
    """What crosses the border of a step."""
    inside = [node for node in graph.nodes if groups[node.output[0]] == number and node.op_type not in VIEWS]
    read = {part for node in inside for name in node.input if name for part in parts(graph, name)}
    read = {name for name in read if name in graph.weights or groups.get(whole(graph, name)) != number}
    written = [name for node in inside for name in node.output if needed_outside(graph, groups, name)]
    moved = Traffic()
    for name in (*sorted(read), *written):
        size = graph.elements(name)
        if name in graph.weights:
            moved += Traffic(weights=size)
        elif end := end_of(graph, name):
            moved += Traffic(end_bytes=size * graph.end_bytes[end])
        else:
            moved += Traffic(activations=size)
    return moved


def parts(graph: Graph, name: str) -> Iterator[str]:
    """The tensors that make up one: those that were concatenated, or itself."""
    node = graph.producers.get(name)
    if node is not None and node.op_type == "Concat":
        for part in node.input:
            yield from parts(graph, part)
    else:
        yield name


def whole(graph: Graph, name: str) -> str:
    """The tensor that one is a view of, or itself."""
    node = graph.producers.get(name)
    return whole(graph, node.input[0]) if node is not None and node.op_type in VIEWS else name


def end_of(graph: Graph, name: str) -> str | None:
    """The graph's input that a tensor is a view of, or the output that is a view of it."""
    if (source := whole(graph, name)) in graph.end_bytes:
        return source
    views = [node for node in graph.nodes if name in node.input and node.op_type in VIEWS]
    followed = (
        end_of(graph, output) if output not in graph.end_bytes else output for node in views for output in node.output
    )
    return next(filter(None, followed), None)


def needed_outside(graph: Graph, groups: dict[str, int], name: str) -> bool:
    """Whether a tensor is read by another step, directly or through views, or is an output."""
    if name in graph.end_bytes:
        return True
    users = [node for node in graph.nodes if name in node.input]
    return any(
        any(needed_outside(graph, groups, output) for output in node.output)
        if node.op_type in VIEWS
        else groups[node.output[0]] != groups[name]
        for node in users
    )


def flops(graph: Graph, node: NodeProto) -> int:
    """Operations of a node, its bias left out.

    Raises:
        UnknownOperation: it is not counted yet.
    """
    if node.op_type in VIEWS:
        return 0
    values = sum(graph.elements(name) for name in node.output)
    if node.op_type in ELEMENTWISE:
        return values
    if node.op_type not in COUNTED:
        raise UnknownOperation(
            f"operation {node.op_type} ({node.name}) is not counted: add it to perf/roofline/graph_cost.py"
        )
    return values * COUNTED[node.op_type](graph, node)


def _sum(graph: Graph, node: NodeProto) -> int:
    """An addition for each value that goes into a sum."""
    return graph.elements(node.input[0]) // graph.elements(node.output[0])


def _convolution(graph: Graph, node: NodeProto) -> int:
    """A multiplication and an addition for each weight of an output channel."""
    weights = graph.shapes[node.input[1]]  # (outputs, inputs / groups, rows, columns)
    return 2 * math.prod(weights[1:])


def _pooling(_graph: Graph, node: NodeProto) -> int:
    """A sum over the window."""
    window: list[int] = next(list(each.ints) for each in node.attribute if each.name == "kernel_shape")
    return math.prod(window)


def _resize(graph: Graph, node: NodeProto) -> int:
    """Linear: two neighbours along each axis that changes, a multiplication and an addition for each of them all."""
    changed = sum(a != b for a, b in zip(graph.shapes[node.input[0]], graph.shapes[node.output[0]], strict=True))
    neighbours = 1 << changed
    return 2 * neighbours


COUNTED: dict[str, Callable[[Graph, NodeProto], int]] = {
    "Conv": _convolution,
    "ReduceSum": _sum,
    "ReduceMean": _sum,
    "ReduceMax": _sum,
    "AveragePool": _pooling,
    "Resize": _resize,
}


def by_itself(graph: Graph) -> Traffic:
    """Traffic if every operation went through memory, as in an engine that fuses nothing."""
    computing = [node for node in graph.nodes if node.op_type not in VIEWS]
    alone = {name: number for number, node in enumerate(graph.nodes) for name in node.output}
    return sum((traffic(graph, alone, alone[node.output[0]]) for node in computing), Traffic())
