"""The steps from weights to a validated ONNX: each reads files of the run's folder, and records what it did."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from export.compare import FP16_BUDGET, FP32_BUDGET, compare
from export.contract import Contract
from export.fp16 import check_activations, check_fp16, halved, rounded
from export.graph import check_contract, check_weights, load_onnx
from export.manifest import Run, Step, recorded_check
from export.networks import Served, load_network
from export.operators import check_bytes, check_operators
from export.runners import onnxruntime_runner
from export.tiles import validation_batches
from export.torch_runner import TorchRunner
from export.tracing import OPSET, export_onnx
from files.digest import sha256
from files.writing import write_whole
from serving.cards import TRAINED

SHIPPED = Path("training/weights")  # what a run takes of a network that it has not trained


def onnx_step(run: Run, contract: Contract, weights: Path | None = None) -> Path:
    """Trace a network into a cleaned FP32 ONNX; keeps a copy of its weights in the run.

    Args:
        run: where to.
        contract: names and shapes.
        weights: folder of the weights; when not given the run's own, which training has filled, and the shipped ones
            where it has none.
    """
    own = run.folder / contract.weights
    source = (weights or (run.folder if own.exists() else SHIPPED)) / contract.weights
    network, path = load_network(contract, source), run.folder / contract.fp32_onnx
    write_whole(own, source.read_bytes())
    write_whole(path, export_onnx(network, contract).SerializeToString())
    run.record(
        Step(
            name="onnx",
            inputs={own.name: sha256(own)},
            outputs={path.name: sha256(path)},
            details={"opset": OPSET, "tile_px": contract.tile_px, TRAINED: _metadata(own)},
        )
    )
    return path


def check_onnx_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the ONNX with PyTorch: structure, operators, then values at batch 1, an odd batch and the maximum.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, weights = run.file(contract.fp32_onnx, "onnx"), run.file(contract.weights, "onnx")
    network = load_network(contract, weights)
    with recorded_check(run, "check-onnx", path, weights) as details:
        model = load_onnx(path)
        check_contract(model, contract)
        check_operators(model)
        check_weights(model, weights_of(network))
        reference, ours = TorchRunner(network, contract), onnxruntime_runner(path.read_bytes())
        difference = compare(reference, ours, validation_batches(contract, photos), contract)
        details["pytorch_vs_onnxruntime"] = difference.record(FP32_BUDGET)
        difference.require(FP32_BUDGET, path, weights)
    return path


def fp16_step(run: Run, contract: Contract) -> Path:
    """Trace the network once more with its body in half precision."""
    weights, path = run.file(contract.weights, "onnx"), run.folder / contract.fp16_onnx
    network = load_network(contract, weights)
    write_whole(path, export_onnx(halved(network), contract).SerializeToString())
    run.record(Step("fp16", inputs={weights.name: sha256(weights)}, outputs={path.name: sha256(path)}))
    return path


def check_fp16_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the FP16 ONNX with the FP32 one: structure, types, range of the activations, then values.

    Values twice: the graph in ONNX Runtime, which finds a wrong graph, and the network with every result rounded to
    FP16, which finds a network that FP16 does not suit.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, source = run.file(contract.fp16_onnx, "fp16"), run.file(contract.fp32_onnx, "onnx")
    weights = run.file(contract.weights, "onnx")
    network, feeds = load_network(contract, weights), validation_batches(contract, photos)
    with recorded_check(run, "check-fp16", path, source, weights) as details:
        half, full = load_onnx(path), load_onnx(source)
        check_contract(half, contract)
        check_operators(half)
        check_bytes(half)
        check_fp16(half)
        check_weights(half, weights_of(network))
        details["largest_activation"] = check_activations(full, feeds)
        rounding = TorchRunner(rounded(network), contract)
        for name, runner in {"graph": onnxruntime_runner(path.read_bytes()), "rounding": rounding}.items():
            difference = compare(onnxruntime_runner(source.read_bytes()), runner, feeds, contract)
            details[f"fp32_vs_fp16_{name}"] = difference.record(FP16_BUDGET)
            difference.require(FP16_BUDGET, path, source)
    return path


def _metadata(weights: Path) -> dict[str, str]:
    """What a file of weights says of itself: kind of network, and what training has recorded."""
    with safe_open(weights, framework="np") as file:
        return dict(file.metadata() or {})


def weights_of(network: Served) -> dict[str, NDArray[np.floating]]:
    """Its parameters by name."""
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}
