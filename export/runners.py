"""The engines that run a network outside the server, each as a Polygraphy runner: activated once, fed batches by name.

Exports are compared in them, benchmarks time them. OpenVINO, which the server's own environment has and this one lacks,
is `serving.inference`.
"""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from polygraphy.backend.base import BaseRunner
from polygraphy.backend.onnxrt import OnnxrtRunner
from polygraphy.common import TensorMetadata

from export.compare import Feed
from export.contract import Contract
from export.errors import ExportError


class TorchRunner(BaseRunner):  # type: ignore[misc]  # Polygraphy has no types
    """PyTorch on any device; Polygraphy's own PytRunner moves every input to a GPU.

    Args:
        network: takes the contract's inputs in order, returns its one output; in evaluation mode, on the device.
        contract: names and shapes.
        device: "cpu" or "cuda".
        autocast: BF16 where PyTorch's own list says so.
    """

    def __init__(
        self, network: Callable[..., torch.Tensor], contract: Contract, device: str = "cpu", *, autocast: bool = False
    ) -> None:
        super().__init__(name="pytorch")
        self.network = network
        self.contract = contract
        self.device = device
        self.autocast = autocast

    def get_input_metadata_impl(self) -> TensorMetadata:
        """Names, types and shapes of the contract, the batch axis open."""
        metadata = TensorMetadata()
        for tensor in self.contract.inputs:
            metadata.add(tensor.name, dtype=tensor.dtype, shape=(-1, *tensor.shape))
        return metadata

    def infer_impl(self, feed_dict: Feed) -> "OrderedDict[str, NDArray[Any]]":
        """Run one batch, which starts and ends in the host's memory."""
        inputs = [torch.from_numpy(feed_dict[tensor.name]).to(self.device) for tensor in self.contract.inputs]
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            output = self.network(*inputs)
        self.inference_time = 0.0  # whoever wants to know takes the time around the call
        return OrderedDict({self.contract.outputs[0].name: output.cpu().numpy()})


def onnxruntime_runner(model: bytes | str, threads: int = 2, provider: str = "CPUExecutionProvider") -> BaseRunner:
    """ONNX Runtime with one execution provider.

    Args:
        model: the ONNX file's bytes, or its path.
        threads: of the CPU.
        provider: its name.

    Raises:
        ExportError: this build of onnxruntime lacks the provider.
    """
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise ExportError(f"this onnxruntime has no {provider}: install onnxruntime-gpu in its place")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return OnnxrtRunner(lambda: onnxruntime.InferenceSession(model, options, providers=[provider]), name="onnxruntime")


def tensorrt_runner(plan: Path) -> BaseRunner:
    """TensorRT on the GPU.

    Raises:
        ExportError: TensorRT's Python package is missing.
    """
    try:
        import tensorrt  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        raise ExportError(
            "TensorRT's Python package is missing: it comes with the image of deploy/Dockerfile"
        ) from None
    from polygraphy.backend.common import BytesFromPath
    from polygraphy.backend.trt import EngineFromBytes, TrtRunner

    return TrtRunner(EngineFromBytes(BytesFromPath(str(plan))), name="tensorrt")
