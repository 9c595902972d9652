"""Put a validated run where Triton looks, and take it back: the only writer into the generator's version folders.

Triton serves the highest numbered version (its default policy, latest). A new run becomes a new version, written beside
and renamed, so a crash at any moment leaves a whole model serving. Rolling back renames the highest version to
``withdrawn-N``, which Triton ignores, and the one below serves again.
"""

import os
import shutil
from pathlib import Path

from export.contract import ONNX_NAME, Contract
from export.errors import ExportError
from export.graph import check_contract, load_onnx
from export.manifest import CHECKPOINT, FP16_ONNX, FP32_ONNX, Run, sha256, write_atomically

WITHDRAWN = "withdrawn-"


def publish(run: Run, contract: Contract, model_dir: Path, version: int | None = None) -> Path:
    """Copy a run's validated files into a version folder.

    Args:
        run: whose files.
        contract: the configuration that they must match.
        model_dir: holds the version folders.
        version: replaces this version's files; without it the run's own version gains what it lacks, or a new one
            is made.

    Returns:
        The version's folder.

    Raises:
        ExportError: anything unvalidated, changed since, or at odds with the configuration; nothing is written then.
    """
    files = validated_files(run, contract)
    folder = model_dir / str(version or _version_of(files[ONNX_NAME], model_dir) or _next_version(model_dir))
    _refuse_loss(folder, files, model_dir)
    if folder.exists():
        for name, source in files.items():
            write_atomically(folder / name, source.read_bytes())
    else:
        _write_folder(folder, files)
    return folder


def validated_files(run: Run, contract: Contract) -> dict[str, Path]:
    """Files of a run by the name they are served under, each traced back to the checkpoint through passed checks.

    Raises:
        ExportError: names the file and what is wrong with it.
    """
    model = run.file(FP32_ONNX, "onnx")
    check = run.require_passed("check-onnx", model)
    _require_same(check.inputs[CHECKPOINT], run.file(CHECKPOINT, "onnx"), model)
    check_contract(load_onnx(model), contract)
    files = {ONNX_NAME: model}
    for name in contract.plan_names.values():
        plan = run.folder / name
        if plan.exists():
            half = run.file(FP16_ONNX, "fp16")
            _require_same(run.require_passed("check-fp16", half).inputs[FP32_ONNX], model, half)
            _require_same(run.require_passed("check-plan", plan).inputs[FP16_ONNX], half, plan)
            files[name] = plan
    return files | {run.manifest.name: run.manifest}


def rollback(model_dir: Path) -> tuple[int, int]:
    """Withdraw the highest version.

    Returns:
        The version withdrawn and the one that serves now.

    Raises:
        ExportError: there is no version to go back to.
    """
    versions = _versions(model_dir)
    if len(versions) < 2:
        raise ExportError(f"{model_dir} holds version {versions or 'none'} alone: there is nothing to roll back to")
    (model_dir / str(versions[-1])).rename(model_dir / f"{WITHDRAWN}{versions[-1]}")
    return versions[-1], versions[-2]


def _require_same(recorded: str, source: Path, made: Path) -> None:
    if sha256(source) != recorded:
        raise ExportError(f"{made} was validated against another {source.name} than the run now holds: export again")


def _versions(model_dir: Path) -> list[int]:
    """Numbers of the versions that hold a model; version 1 of a bare clone may hold the serving code alone."""
    return sorted(int(path.parent.name) for path in model_dir.glob(f"*/{ONNX_NAME}") if path.parent.name.isdigit())


def _next_version(model_dir: Path) -> int:
    withdrawn = [int(folder.name.removeprefix(WITHDRAWN)) for folder in model_dir.glob(f"{WITHDRAWN}*")]
    return max([0, *_versions(model_dir), *withdrawn]) + 1


def _version_of(model: Path, model_dir: Path) -> int | None:
    """Version that serves this very model already."""
    digest = sha256(model)
    served = {version: model_dir / str(version) / ONNX_NAME for version in _versions(model_dir)}
    return next((version for version, path in served.items() if path.exists() and sha256(path) == digest), None)


def _refuse_loss(folder: Path, files: dict[str, Path], model_dir: Path) -> None:
    """A version must not mix two runs, nor a new one leave GPUs without the plan that they are served now."""
    newest = [model_dir / str(version) for version in _versions(model_dir)[-1:]]
    for other in [folder, *newest]:
        lost = sorted({path.name for path in other.glob("*.plan")} - files.keys())
        if lost and not _same_model(other, files):
            raise ExportError(f"{other} serves {', '.join(lost)}, which this run lacks: build it first (make plan)")


def _same_model(folder: Path, files: dict[str, Path]) -> bool:
    served = folder / ONNX_NAME
    return served.exists() and sha256(served) == sha256(files[ONNX_NAME])


def _write_folder(folder: Path, files: dict[str, Path]) -> None:
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        for name, source in files.items():
            shutil.copyfile(source, beside / name)
        for code in sorted((folder.parent / "1").glob("*.py")):  # the CPU profile's; one copy for all versions
            (beside / code.name).symlink_to(Path("..", "1", code.name))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
