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


@dataclass(frozen=True)
class Step:
    """A heavy operation and what is computed with it.

    Attributes:
        name: its first node's.
        matrix_flops: of convolutions, a multiplication and an addition being two.
        other_flops: of all the rest, one for each value and operation.
        values: weights, and activations read or written between steps, that cross its border.
        end_bytes: of the graph's inputs and outputs, which have types of their own, read or written.
    """

    name: str
    matrix_flops: int
    other_flops: int
    values: int
    end_bytes: int = 0

    @property
    def flops(self) -> int:
        """All operations."""
        return self.matrix_flops + self.other_flops

    def bytes(self, value_bytes: int) -> int:
        """What moves, in a network whose weights and activations take that many bytes each."""
        return value_bytes * self.values + self.end_bytes


class Graph:
    """A graph with the shape of every tensor, and the number of the step that computes it.

    Args:
        model: with one dynamic axis at most, the batch.
        batch: its size.
    """

    def __init__(self, model: onnx.ModelProto, batch: int = 1) -> None:
        fixed = onnx.ModelProto()
        fixed.CopyFrom(model)
        del fixed.graph.value_info[:]
        for dim in (dim for each in _ends(fixed) for dim in each.type.tensor_type.shape.dim if dim.dim_param):
            dim.dim_value = batch
        fixed = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)
        self.nodes: list[NodeProto] = list(fixed.graph.node)
        self.weights = {each.name: tuple(each.dims) for each in fixed.graph.initializer}
        self.shapes: dict[str, tuple[int, ...]] = {
            each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim)
            for each in (*_ends(fixed), *fixed.graph.value_info)
        } | self.weights
        self.producers = {name: node for node in self.nodes for name in node.output}
        self.end_bytes = {
            each.name: onnx.helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type).itemsize
            for each in _ends(fixed)
        }
        self.groups = self._gather()

    def _gather(self) -> dict[str, int]:
        """A tensor belongs to the step of the last of its inputs, but heavy operations open one.

        All other inputs of a step's operations come from earlier steps, so steps can run one after another.
        """
        groups: dict[str, int] = {}
        opened = 0
        for node in self.nodes:
            before = [groups[name] for name in node.input if name in groups]
            opens = node.op_type in HEAVY or not before
            opened += opens
            groups |= dict.fromkeys(node.output, opened if opens else max(before))
        return groups

    def elements(self, name: str) -> int:
        """Number of values of a tensor."""
        return math.prod(self.shapes[name])

    def whole(self, name: str) -> str:
        """The tensor that one is a view of, or itself."""
        node = self.producers.get(name)
        return self.whole(node.input[0]) if node is not None and node.op_type in VIEWS else name

    def parts(self, name: str) -> Iterator[str]:
        """The tensors that make up one: those that were concatenated, or itself."""
        node = self.producers.get(name)
        if node is None or node.op_type != "Concat":
            yield name
        else:
            for part in node.input:
                yield from self.parts(part)

    def end_of(self, name: str) -> str | None:
        """The graph's input that a tensor is a view of, or the output that is a view of it."""
        if (source := self.whole(name)) in self.end_bytes:
            return source
        outputs = (
            output for node in self.nodes if name in node.input and node.op_type in VIEWS for output in node.output
        )
        return next(filter(None, (each if each in self.end_bytes else self.end_of(each) for each in outputs)), None)

    def is_needed_outside(self, name: str) -> bool:
        """Whether a tensor is read by another step, directly or through views, or is an output."""
        return name in self.end_bytes or any(
            any(map(self.is_needed_outside, node.output))
            if node.op_type in VIEWS
            else self.groups[node.output[0]] != self.groups[name]
            for node in self.nodes
            if name in node.input
        )

    def moved(self, number: int, nodes: list[NodeProto]) -> list[str]:
        """The tensors that a step reads or writes."""
        inside = [node for node in nodes if node.op_type not in VIEWS]
        read = {part for node in inside for name in node.input if name for part in self.parts(name)}
        read = {name for name in read if name in self.weights or self.groups.get(self.whole(name)) != number}
        return [*read, *(name for node in inside for name in node.output if self.is_needed_outside(name))]


def _ends(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    return [*model.graph.input, *model.graph.output]


def steps(model: onnx.ModelProto, batch: int = 1) -> list[Step]:
    """The graph's steps, in order.

    Raises:
        PerfError: names an operation that has to be added here.
    """
    graph = Graph(model, batch)
    members: dict[int, list[NodeProto]] = {}
    for node in graph.nodes:
        members.setdefault(graph.groups[node.output[0]], []).append(node)
    return [_step(graph, number, nodes) for number, nodes in sorted(members.items())]


def _step(graph: Graph, number: int, nodes: list[NodeProto]) -> Step:
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    others = sum(flops(graph, node) for node in nodes if node.op_type != "Conv")
    biases = sum(graph.elements(node.output[0]) for node in convolutions if len(node.input) > 2)
    moved = [
        (graph.elements(name), None if name in graph.weights else graph.end_of(name))
        for name in graph.moved(number, nodes)
    ]
    return Step(
        name=nodes[0].name,
        matrix_flops=sum(flops(graph, node) for node in convolutions),
        other_flops=others + biases,
        values=sum(size for size, end in moved if end is None),
        end_bytes=sum(size * graph.end_bytes[end] for size, end in moved if end is not None),
    )


def flops(graph: Graph, node: NodeProto) -> int:
    """Operations of a node, its bias left out.

    Raises:
        PerfError: it is not counted yet.
    """
    if node.op_type in VIEWS:
        return 0
    values = sum(graph.elements(name) for name in node.output)
    if node.op_type in ELEMENTWISE:
        return values
    if node.op_type not in COUNTED:
        raise PerfError(f"operation {node.op_type} ({node.name}) is not counted: add it to perf/roofline/graph_cost.py")
    return values * COUNTED[node.op_type](graph, node)


def _window(node: NodeProto) -> int:
    return math.prod(next(each.ints for each in node.attribute if each.name == "kernel_shape"))


def _neighbours(graph: Graph, node: NodeProto) -> int:
    """Two along each axis that a linear resize changes."""
    return 1 << sum(a != b for a, b in zip(graph.shapes[node.input[0]], graph.shapes[node.output[0]], strict=True))


def _summed(graph: Graph, node: NodeProto) -> int:
    return graph.elements(node.input[0]) // graph.elements(node.output[0])


COUNTED: dict[str, Callable[[Graph, NodeProto], int]] = {  # operations for each value that comes out
    "Conv": lambda graph, node: 2 * math.prod(graph.shapes[node.input[1]][1:]),  # (outputs, inputs / groups, y, x)
    "AveragePool": lambda _, node: _window(node),
    "Resize": lambda graph, node: 2 * _neighbours(graph, node),
    **dict.fromkeys(("ReduceSum", "ReduceMean", "ReduceMax"), _summed),
}
