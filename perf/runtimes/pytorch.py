"""PyTorch on the CPU and on a GPU, eager, compiled and as CUDA graphs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from deploy.server import MODEL_REPOSITORY, ROOT
from perf.runtimes import CPU_THREADS, Array, Run, Tiles

if TYPE_CHECKING:
    from torch import Tensor, nn

Wrap: TypeAlias = Callable[["nn.Module"], Callable[..., "Tensor"]]
WEIGHTS = ROOT / "training/weights"


def pytorch(
    onnx: Path,
    device: str,
    *,
    half: bool = False,
    autocast: bool = False,
    channels_last: bool = False,
    wrap: Wrap | None = None,
) -> tuple[Run, str]:
    """A network with the shipped weights in PyTorch.

    Args:
        onnx: says by its folder which network is meant.
        device: "cpu" or "cuda".
        half: the body in FP16 and the ends in FP32, as in the served plan.
        autocast: BF16 where PyTorch's own list says so.
        channels_last: memory format of the weights, which tiles follow.
        wrap: what runs the network in place of eager mode.
    """
    import torch

    torch.set_num_threads(CPU_THREADS)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = shipped_network(onnx.parent.parent.name, half=half).to(device).to(memory_format=layout)  # type: ignore[call-overload]
    call = wrap(network) if wrap else network

    @torch.inference_mode()
    def run(tiles: Tiles) -> Array:
        on_device = [torch.from_numpy(each).to(device) for each in tiles.values()]
        with torch.autocast(device, torch.bfloat16, enabled=autocast):
            result = call(*on_device)
        return np.ascontiguousarray(result.cpu().numpy())

    return run, f"torch {torch.__version__}"


def shipped_network(name: str, *, half: bool = False) -> "nn.Module":
    """A network with the shipped weights, from and to the served tensors; the body in FP16 on demand."""
    from export.contract import read_contract
    from export.fp16 import halved
    from export.networks import load_network

    contract = read_contract(MODEL_REPOSITORY / name)
    network = load_network(contract, WEIGHTS / contract.weights)
    return halved(network) if half else network


def compiled(network: "nn.Module") -> Callable[..., "Tensor"]:
    """torch.compile, kernels for each batch size; on a CPU it needs a C++ compiler."""
    import torch

    return torch.compile(network, dynamic=False)


def cuda_graphs(network: "nn.Module") -> Callable[..., "Tensor"]:
    """One CUDA graph for each batch size. Not run yet: written from PyTorch's notes on CUDA semantics."""
    import torch

    recorded: dict[int, tuple[Any, ...]] = {}

    def record(inputs: "tuple[Tensor, ...]") -> tuple[Any, ...]:
        places = tuple(each.clone() for each in inputs)
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):  # what happens only once must not be recorded
            for _ in range(3):
                network(*places)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            edited = network(*places)
        return graph, places, edited

    def call(*inputs: "Tensor") -> "Tensor":
        batch = len(inputs[0])
        if batch not in recorded:
            recorded[batch] = record(inputs)
        graph, places, edited = recorded[batch]
        for place, value in zip(places, inputs, strict=True):
            place.copy_(value)
        graph.replay()
        result: Tensor = edited
        return result

    return call
