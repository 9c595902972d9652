"""The steps of an export: each reads files of the run's folder, writes one, and records itself in the manifest."""

from pathlib import Path

import onnx

from export.checkpoint import load_generator
from export.compare import FP32_BUDGET, TorchRunner, compare, onnxruntime_runner
from export.contract import Contract
from export.errors import ExportError
from export.graph import OPSET, check_contract, export_onnx
from export.manifest import Run, Step, sha256, write_atomically
from export.operators import check_operators
from export.tiles import batches, extreme_samples, photo_samples

CHECKPOINT = "generator.safetensors"
FP32_ONNX = "generator.onnx"
FP16_ONNX = "generator_fp16.onnx"


def onnx_step(run: Run, contract: Contract, checkpoint: Path) -> Path:
    """Trace the checkpoint's network into a cleaned FP32 ONNX; keeps a copy of the checkpoint in the run."""
    network, metadata = load_generator(checkpoint)
    kept, path = run.folder / CHECKPOINT, run.folder / FP32_ONNX
    write_atomically(kept, checkpoint.read_bytes())
    write_atomically(path, export_onnx(network, contract).SerializeToString())
    run.record(
        Step(
            name="onnx",
            inputs={CHECKPOINT: sha256(kept)},
            outputs={FP32_ONNX: sha256(path)},
            details={"opset": OPSET, "width": int(metadata["width"]), "tile_px": contract.tile_px},
        )
    )
    return path


def check_onnx_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Compare the ONNX with PyTorch: structure, operators, then values at batch 1, an odd batch and the maximum.

    Raises:
        ExportError: the first thing that differs, named; recorded as a failure.
    """
    path, checkpoint = run.file(FP32_ONNX, "onnx"), run.file(CHECKPOINT, "onnx")
    network, _ = load_generator(checkpoint)
    model = onnx.load(path)
    check_contract(model, contract)
    check_operators(model)
    feeds = batches([*extreme_samples(contract.tile_px), *photo_samples(photos, contract.tile_px)], contract)
    difference = compare(TorchRunner(network, contract), onnxruntime_runner(path.read_bytes()), feeds, contract)
    violations = difference.violations(FP32_BUDGET)
    run.record(
        Step(
            name="check-onnx",
            inputs={FP32_ONNX: sha256(path), CHECKPOINT: sha256(checkpoint)},
            passed=not violations,
            details={"pytorch_vs_onnxruntime": difference.record(FP32_BUDGET), "batches": len(feeds)},
        )
    )
    if violations:
        raise ExportError(f"{path} differs from {checkpoint}: {'; '.join(violations)}")
    return path
