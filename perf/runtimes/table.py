"""The table of runtimes. To add one, write a function that loads it and add a row."""

from collections.abc import Collection
from functools import partial

from perf.runtimes import Runtime
from perf.runtimes.onnx_runtime import onnx_runtime
from perf.runtimes.openvino import openvino
from perf.runtimes.pytorch import compiled, cuda_graphs, pytorch
from perf.runtimes.tensorrt import tensorrt

cpu, cuda = partial(pytorch, device="cpu"), partial(pytorch, device="cuda")

RUNTIMES = (
    Runtime("PyTorch FP32", "cpu", cpu),
    Runtime("PyTorch FP32, channels-last", "cpu", partial(cpu, channels_last=True)),
    Runtime("PyTorch BF16 (autocast)", "cpu", partial(cpu, autocast=True)),
    Runtime("PyTorch FP16", "cpu", partial(cpu, half=True)),
    Runtime("torch.compile FP32", "cpu", partial(cpu, wrap=compiled)),
    Runtime("ONNX Runtime FP32", "cpu", partial(onnx_runtime, provider="CPUExecutionProvider")),
    Runtime("OpenVINO FP32", "cpu", partial(openvino, precision="f32"), "server"),
    Runtime("OpenVINO BF16", "cpu", partial(openvino, precision="bf16"), "server"),
    Runtime("GPU: PyTorch FP32", "gpu", cuda),
    Runtime("GPU: PyTorch FP16", "gpu", partial(cuda, half=True)),
    Runtime("GPU: PyTorch FP16, channels-last", "gpu", partial(cuda, half=True, channels_last=True)),
    Runtime("GPU: torch.compile FP16", "gpu", partial(cuda, half=True, wrap=compiled)),
    Runtime("GPU: CUDA graph FP16", "gpu", partial(cuda, half=True, wrap=cuda_graphs)),
    Runtime("GPU: ONNX Runtime FP32", "gpu", partial(onnx_runtime, provider="CUDAExecutionProvider")),
    Runtime("GPU: TensorRT FP16", "gpu", tensorrt),
)
REFERENCE = "PyTorch FP32"
SERVED_BY_CPU = ("OpenVINO BF16", "OpenVINO FP32")  # the server's OpenVINO takes the first that the processor can
SERVED_BY_GPU = "GPU: TensorRT FP16"


def runtime(name: str) -> Runtime:
    """The row of that name."""
    return next(row for row in RUNTIMES if row.name == name)


def served_by_cpu(names: Collection[str]) -> str | None:
    """Which of the runtimes that run here is the CPU profile's; None where it is none of them."""
    return next((name for name in SERVED_BY_CPU if name in names), None)
