"""The table of engines. To add one, write a function that loads it and add a row.

Each library is called in one place: `export.runners`, and `serving.inference` for OpenVINO, as it serves.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from files.checkout import ROOT
from perf.errors import Unavailable

if TYPE_CHECKING:
    from polygraphy.backend.base import BaseRunner

Array: TypeAlias = NDArray[Any]
Tiles: TypeAlias = dict[str, Array]
"""A batch: the network's inputs by name, in the configuration's order, the batch axis first."""
Run: TypeAlias = Callable[[Tiles], Array]
"""A batch to the network's output, in the host's memory. Copies to a GPU and back are part of a call, as in serving."""

WEIGHTS = ROOT / "training/weights"
CPU_THREADS = len(os.sched_getaffinity(0))  # for libraries that would otherwise count the cores each in its own way


@dataclass(frozen=True)
class Engine:
    """A row of the table.

    Attributes:
        name: what the row is called.
        load: takes the path of the served ONNX file, MODEL/VERSION/model.onnx; raises anything where it cannot run.
        module: of the library, which knows its version.
        environment: "project" (.venv) or "server" (.venv-server, which has OpenVINO and no PyTorch).
    """

    name: str
    load: Callable[[Path], Run]
    module: str
    environment: str = "project"

    @property
    def is_gpu(self) -> bool:
        """Whether it needs a GPU."""
        return self.name.startswith("GPU")


def openvino(onnx: Path, precision: str) -> Run:
    """OpenVINO in "f32" or "bf16", the latter being what it chooses itself where the processor can.

    Raises:
        Unavailable: the processor cannot.
    """
    import openvino as ov

    from serving.inference import Network

    if precision == "bf16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise Unavailable("this processor has no BF16 instructions")
    network = Network(onnx, 8, {"INFERENCE_PRECISION_HINT": precision})

    def run(tiles: Tiles) -> Array:
        count = len(next(iter(tiles.values())))
        feeds = [{name: array[number : number + 1] for name, array in tiles.items()} for number in range(count)]
        return np.concatenate([result().copy() for result in network.results(feeds)])

    return run


def pytorch(
    onnx: Path, device: str = "cpu", *, half: bool = False, autocast: bool = False, compiled: bool = False
) -> Run:
    """The shipped weights in PyTorch.

    Args:
        onnx: says by its folder which network is meant.
        device: "cpu" or "cuda".
        half: the body in FP16 and the ends in FP32, as in the served plan.
        autocast: BF16 where PyTorch's own list says so.
        compiled: by torch.compile, kernels for each batch size; on a CPU it needs a C++ compiler.
    """
    import torch

    from export.contract import read_contract
    from export.fp16 import halved
    from export.networks import load_network
    from export.torch_runner import TorchRunner

    torch.set_num_threads(CPU_THREADS)
    contract = read_contract(onnx.parent.parent)
    network = load_network(contract, WEIGHTS / contract.weights)
    network = (halved(network) if half else network).to(device)
    call = torch.compile(network, dynamic=False) if compiled else network
    return activated(TorchRunner(call, contract, device, autocast=autocast))


def onnx_runtime(onnx: Path, provider: str) -> Run:
    """The served ONNX file in ONNX Runtime."""
    from export.runners import onnxruntime_runner

    return activated(onnxruntime_runner(str(onnx), CPU_THREADS, provider))


def tensorrt(onnx: Path) -> Run:
    """The FP16 plan that the GPU profile serves. Not run yet: no GPU was available."""
    import torch

    from export.contract import read_contract
    from export.runners import tensorrt_runner

    capability = "{}.{}".format(*torch.cuda.get_device_capability())
    return activated(tensorrt_runner(read_contract(onnx.parent.parent).published_plan(onnx.parent, capability)))


def activated(runner: "BaseRunner") -> Run:
    """A Polygraphy runner as a function, loaded for the life of this process."""
    runner.activate()

    def run(tiles: Tiles) -> Array:
        (output,) = runner.infer(tiles, check_inputs=False).values()
        return np.asarray(output)

    return run


ENGINES = (
    Engine("PyTorch FP32", pytorch, "torch"),
    Engine("PyTorch BF16 (autocast)", partial(pytorch, autocast=True), "torch"),
    Engine("PyTorch FP16", partial(pytorch, half=True), "torch"),
    Engine("torch.compile FP32", partial(pytorch, compiled=True), "torch"),
    Engine("ONNX Runtime FP32", partial(onnx_runtime, provider="CPUExecutionProvider"), "onnxruntime"),
    Engine("OpenVINO FP32", partial(openvino, precision="f32"), "openvino", "server"),
    Engine("OpenVINO BF16", partial(openvino, precision="bf16"), "openvino", "server"),
    Engine("GPU: PyTorch FP32", partial(pytorch, device="cuda"), "torch"),
    Engine("GPU: PyTorch FP16", partial(pytorch, device="cuda", half=True), "torch"),
    Engine("GPU: torch.compile FP16", partial(pytorch, device="cuda", half=True, compiled=True), "torch"),
    Engine("GPU: ONNX Runtime FP32", partial(onnx_runtime, provider="CUDAExecutionProvider"), "onnxruntime"),
    Engine("GPU: TensorRT FP16", tensorrt, "tensorrt"),
)
REFERENCE = "PyTorch FP32"
SERVED_BY_CPU = ("OpenVINO BF16", "OpenVINO FP32")  # the server's OpenVINO takes the first that the processor can
SERVED_BY_GPU = "GPU: TensorRT FP16"


def engine(name: str) -> Engine:
    """The row of that name."""
    return next(row for row in ENGINES if row.name == name)


def served_by_cpu(names: Collection[str]) -> str | None:
    """Which of the engines that run here is the CPU profile's; None where it is none of them."""
    return next((name for name in SERVED_BY_CPU if name in names), None)
