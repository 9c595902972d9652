"""The steps from a checkpoint to a validated ONNX: each reads files of the run's folder, and records what it did."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.compare import FP16_BUDGET, FP32_BUDGET, INT8_BUDGET, compare, onnxruntime_runner
from export.contract import Contract
from export.errors import ExportError
from export.fp16 import HalfGenerator, RoundedGenerator, check_activations, check_fp16
from export.graph import check_contract, check_weights, load_onnx
from export.int8 import to_int8
from export.manifest import (
    CHECKPOINT,
    FP16_ONNX,
    FP32_ONNX,
    INT8_ONNX,
    Run,
    Step,
    recorded_check,
    sha256,
    write_atomically,
)
from export.operators import check_operators
from export.tiles import validation_batches
from export.torch_runner import TorchRunner
from export.tracing import OPSET, export_onnx
from training.checkpoints import BEST
from training.networks.generator import Generator
from training.networks.weights import WeightsError, load_generator


def onnx_step(run: Run, contract: Contract, checkpoint: Path | None = None) -> Path:
    """Trace a checkpoint's network into a cleaned FP32 ONNX; keeps a copy of the checkpoint in the run.

    Args:
        run: where to.
        contract: names and shapes.
        checkpoint: generator weights; those that training left in the run's folder when not given.
    """
    checkpoint = checkpoint or run.folder / BEST
    network = load_network(checkpoint)
    kept, path = run.folder / CHECKPOINT, run.folder / FP32_ONNX
    write_atomically(kept, checkpoint.read_bytes())
    write_atomically(path, export_onnx(network, contract).SerializeToString())
    run.record(
        Step(
            name="onnx",
            inputs={CHECKPOINT: sha256(kept)},
            outputs={FP32_ONNX: sha256(path)},
            details={"opset": OPSET, "width": network.width, "tile_px": contract.tile_px},
        )
    )
    return path


def check_onnx_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the ONNX with PyTorch: structure, operators, then values at batch 1, an odd batch and the maximum.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, checkpoint = run.file(FP32_ONNX, "onnx"), run.file(CHECKPOINT, "onnx")
    network = load_network(checkpoint)
    with recorded_check(run, "check-onnx", path, checkpoint) as details:
        model = load_onnx(path)
        check_contract(model, contract)
        check_operators(model)
        check_weights(model, weights_of(network))
        reference, ours = TorchRunner(network, contract), onnxruntime_runner(path.read_bytes())
        difference = compare(reference, ours, validation_batches(contract, photos), contract)
        details["pytorch_vs_onnxruntime"] = difference.record(FP32_BUDGET)
        difference.require(FP32_BUDGET, path, checkpoint)
    return path


def fp16_step(run: Run, contract: Contract) -> Path:
    """Trace the network once more with its edit in half precision."""
    checkpoint, path = run.file(CHECKPOINT, "onnx"), run.folder / FP16_ONNX
    network = load_network(checkpoint)
    write_atomically(path, export_onnx(HalfGenerator.of(network), contract).SerializeToString())
    run.record(Step("fp16", inputs={CHECKPOINT: sha256(checkpoint)}, outputs={FP16_ONNX: sha256(path)}))
    return path


def check_fp16_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the FP16 ONNX with the FP32 one: structure, types, range of the activations, then values.

    Values twice: the graph in ONNX Runtime, which finds a wrong graph, and the network with every result rounded to
    FP16, which finds a network that FP16 does not suit.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, source, checkpoint = run.file(FP16_ONNX, "fp16"), run.file(FP32_ONNX, "onnx"), run.file(CHECKPOINT, "onnx")
    network, feeds = load_network(checkpoint), validation_batches(contract, photos)
    with recorded_check(run, "check-fp16", path, source, checkpoint) as details:
        half, full = load_onnx(path), load_onnx(source)
        check_contract(half, contract)
        check_operators(half)
        check_fp16(half)
        check_weights(half, weights_of(network))
        details["largest_activation"] = check_activations(full, feeds)
        rounded = TorchRunner(RoundedGenerator.of(network), contract)
        for name, runner in {"graph": onnxruntime_runner(path.read_bytes()), "rounding": rounded}.items():
            difference = compare(onnxruntime_runner(source.read_bytes()), runner, feeds, contract)
            details[f"fp32_vs_fp16_{name}"] = difference.record(FP16_BUDGET)
            difference.require(FP16_BUDGET, path, source)
    return path


def int8_step(run: Run, contract: Contract, calibration: Path) -> Path:
    """Quantise the validated FP32 ONNX, with ranges taken from a folder of photos and from the extremes."""
    source, path = run.file(FP32_ONNX, "onnx"), run.folder / INT8_ONNX
    run.require_passed("check-onnx", source)
    feeds = validation_batches(contract, calibration)
    write_atomically(path, to_int8(load_onnx(source), feeds).SerializeToString())
    run.record(
        Step(
            name="int8",
            inputs={FP32_ONNX: sha256(source)},
            outputs={INT8_ONNX: sha256(path)},
            details={"calibration_tiles": sum(len(feed[contract.inputs[0].name]) for feed in feeds)},
        )
    )
    return path


def check_int8_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the INT8 ONNX with the FP32 one.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, source = run.file(INT8_ONNX, "int8"), run.file(FP32_ONNX, "onnx")
    with recorded_check(run, "check-int8", path, source) as details:
        model = load_onnx(path)
        check_contract(model, contract)
        check_operators(model)
        difference = compare(
            onnxruntime_runner(source.read_bytes()),
            onnxruntime_runner(path.read_bytes()),
            validation_batches(contract, photos),
            contract,
        )
        details["fp32_vs_int8"] = difference.record(INT8_BUDGET)
        difference.require(INT8_BUDGET, path, source)
    return path


def weights_of(network: Generator) -> dict[str, NDArray[np.floating]]:
    """Its parameters by name."""
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def load_network(checkpoint: Path) -> Generator:
    """The generator in evaluation mode.

    Raises:
        ExportError: no such file, or weights of something else.
    """
    try:
        return load_generator(checkpoint).eval()
    except WeightsError as error:
        raise ExportError(str(error)) from None
