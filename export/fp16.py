"""Half precision: the graph itself says where, since TensorRT 11 has no flag for it.

The convolutions and all between them run in FP16. The ends stay in FP32: metering before the first convolution, and
adding the edit to the tile after the last. They work on the input and the output, which are FP32 anyway, and the
photo keeps more than the 11 bits of an FP16 value (docs/decisions/006-half-precision.md has the measurement).
"""

import copy
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from torch import Tensor
from torch.overrides import TorchFunctionMode

from export.compare import Feed
from export.errors import ExportError
from training.networks.generator import Generator

FP16_MAX = 65504.0
MAX_ACTIVATION = FP16_MAX / 8  # three doublings of headroom for photos unlike those tried


class HalfGenerator(Generator):
    """The generator with its edit in FP16; takes and returns FP32."""

    @classmethod
    def of(cls, network: Generator) -> "HalfGenerator":
        """The same weights, rounded."""
        half = cls(network.width, refines=network.refinement is not None)
        half.load_state_dict(network.state_dict())
        return half.half().eval()

    def edit(self, bases: Tensor) -> tuple[Tensor, Tensor]:
        """As the generator's, FP32 in and out."""
        gains, offset = super().edit(bases.half())
        return gains.float(), offset.float()


class RoundedGenerator(Generator):
    """What FP16 does to the edit, at the speed of FP32: every result is rounded to FP16, sums are FP32.

    That is how tensor cores work. ONNX Runtime's CPU engine cannot stand in for it: having no FP16 convolution, it
    widens the whole body to FP32 and rounds nothing in between. PyTorch's FP16 on the CPU rounds, but takes minutes.
    """

    @classmethod
    def of(cls, network: Generator) -> "RoundedGenerator":
        """The same weights, rounded."""
        rounded = cls(network.width, refines=network.refinement is not None)
        rounded.load_state_dict({name: tensor.half().float() for name, tensor in network.state_dict().items()})
        return rounded.eval()

    def edit(self, bases: Tensor) -> tuple[Tensor, Tensor]:
        """As the generator's, each operation's result rounded."""
        with _RoundToHalf():
            return super().edit(bases.half().float())


class _RoundToHalf(TorchFunctionMode):
    """Rounds what every PyTorch function called under it returns."""

    def __torch_function__(  # type: ignore[no-untyped-def]  # torch's own signature
        self,
        func: Callable[..., object],
        types,  # noqa: ANN001
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        return result.half().float() if isinstance(result, Tensor) and result.is_floating_point() else result


def check_fp16(model: onnx.ModelProto) -> None:
    """Refuse a graph that TensorRT would silently build in FP32.

    Raises:
        ExportError: names the convolution whose weights are not FP16.
    """
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and types.get(node.input[1]) != onnx.TensorProto.FLOAT16:
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
