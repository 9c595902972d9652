"""Half precision: the graph itself says where, since TensorRT 11 has no flag for it.

The learned body of a network runs in FP16. What is around it stays in FP32: metering, fusion and finish of the
generator, and the path of the photo's own values through the refiner. It works on inputs and outputs that have more
than the 11 bits of an FP16 value (docs/decisions/006-half-precision.md has the measurement).
"""

import copy

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from export.compare import Feed
from export.errors import ExportError
from export.networks import Served, ServedRefiner

FP16_MAX = 65504.0
MAX_ACTIVATION = FP16_MAX / 8  # three doublings of headroom for photos unlike those tried


def halved(network: Served) -> Served:
    """A copy for TensorRT, with its body in FP16 and FP32 around it."""
    half = copy.deepcopy(network)
    if isinstance(half, ServedRefiner):
        half.moved = torch.float32
    body = half.network.body.half()
    body.register_forward_pre_hook(lambda _, inputs: tuple(each.half() for each in inputs))
    body.register_forward_hook(lambda _, _inputs, result: result.float())
    return half


def rounded(network: Served) -> Served:
    """A copy with what FP16 does to the body, at the speed of FP32: results of layers are rounded, sums are FP32.

    That is how tensor cores work. ONNX Runtime's CPU engine cannot stand in for it: having no FP16 convolution, it
    widens the whole body to FP32 and rounds nothing in between. PyTorch's FP16 on the CPU rounds, but takes minutes.
    """
    rounding = copy.deepcopy(network)
    body = rounding.network.body
    body.load_state_dict({name: _rounded(tensor) for name, tensor in body.state_dict().items()})
    body.register_forward_pre_hook(lambda _, inputs: tuple(map(_rounded, inputs)))
    for module in body.modules():
        module.register_forward_hook(_round_result)
    return rounding


def _round_result(_module: nn.Module, _inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
    return _rounded(result)


def _rounded(values: Tensor) -> Tensor:
    return values.half().float()


def check_fp16(model: onnx.ModelProto) -> None:
    """Refuse a graph that TensorRT would silently build in FP32.

    Raises:
        ExportError: names the convolution whose weights are not FP16.
    """
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    for node in model.graph.node:
        learned = node.op_type == "Conv" and node.input[1].endswith(".weight")  # fusion has some with ones and zeros
        if learned and types.get(node.input[1]) != onnx.TensorProto.FLOAT16:
            raise ExportError(f"convolution {node.name} has weights that are not FP16: the plan would run it in FP32")


def check_activations(model: onnx.ModelProto, feeds: list[Feed]) -> tuple[str, float]:
    """Run the FP32 network and look at every tensor.

    Returns:
        Name and magnitude of the largest activation.

    Raises:
        ExportError: one comes near the end of the FP16 range, or is not a number.
    """
    probe = copy.deepcopy(model)
    names = [name for node in probe.graph.node for name in node.output]
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = dict.fromkeys(names, 0.0)
    for tile in (tile for feed in feeds for tile in _single_tiles(feed)):  # a batch's activations are gigabytes
        for name, values in zip(names, session.run(names, tile), strict=True):
            ranges[name] = max(ranges[name], float(np.abs(values).max()))
            if not ranges[name] <= MAX_ACTIVATION or np.isnan(values).any():
                raise ExportError(
                    f"activation {name} reaches {ranges[name]:.0f}, too near the end of the FP16 range (limit "
                    f"{MAX_ACTIVATION:.0f}): train on with weight decay or a lower learning rate"
                )
    return max(ranges.items(), key=lambda item: item[1])


def _single_tiles(feed: Feed) -> list[Feed]:
    """A batch, tile by tile."""
    (count,) = {len(values) for values in feed.values()}
    return [{name: values[index : index + 1] for name, values in feed.items()} for index in range(count)]
