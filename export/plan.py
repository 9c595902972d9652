"""FP16 ONNX to a TensorRT plan, and the proof that the plan is what it should be. Runs where the GPU is."""

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

from export import trtexec
from export.compare import FP16_BUDGET, compare
from export.contract import Contract
from export.errors import ExportError
from export.graph import load_onnx
from export.layers import half_convolutions, precisions
from export.manifest import Run, Step, recorded_check
from export.runners import onnxruntime_runner, tensorrt_runner
from export.tiles import validation_batches
from files.digest import sha256

BUILD_TIMEOUT_S = 3600.0
BENCHMARK_TIMEOUT_S = 600.0


def plan_step(run: Run, contract: Contract, timeout_s: float = BUILD_TIMEOUT_S) -> Path:
    """Build the plan for this machine's GPU; one that is up to date stays.

    Raises:
        ExportError: unvalidated ONNX, no trtexec, no GPU, a GPU that is not served, or a failed build.
    """
    source = run.file(contract.fp16_onnx, "fp16")
    run.require_passed("check-fp16", source)
    tool, capability = trtexec.find(), trtexec.compute_capability()
    plan = run.folder / contract.plan(capability)
    timing_cache = run.folder.parent / f"timing.{capability}.{tool.version_text}.cache"  # shared by all runs
    beside = plan.with_name(f".{plan.name}.part")
    command = tool.build_command(source, beside, timing_cache, contract)
    if _up_to_date(run, plan, source, command):
        return plan
    print(" ".join(command), flush=True)
    started = time.monotonic()
    try:
        trtexec.run(command, _log(plan, "build"), timeout_s)
        if not beside.exists():
            raise ExportError(f"trtexec wrote no plan; log: {_log(plan, 'build')}")
        beside.replace(plan)
    finally:
        beside.unlink(missing_ok=True)
    details = {
        "command": command,
        "tensorrt": tool.version_text,
        "compute_capability": capability,
        "build_s": round(time.monotonic() - started, 1),
    }
    run.record(Step("plan", {source.name: sha256(source)}, {plan.name: sha256(plan)}, details=details))
    return plan


def check_plan_step(run: Run, contract: Contract, photos: Path) -> Path:
    """Prove the plan: FP16 as far as TensorRT tells, tiles that match the FP32 ONNX, and how long a batch takes.

    Raises:
        ExportError: what is wrong with the plan; recorded as a failure.
    """
    tool, capability = trtexec.find(), trtexec.compute_capability()
    plan = run.file(contract.plan(capability), "plan")
    half, full = run.file(contract.fp16_onnx, "fp16"), run.file(contract.fp32_onnx, "onnx")
    with recorded_check(run, "check-plan", plan, half, full) as details:
        details["compute_ms"] = {
            batch: _compute_ms(tool, plan, batch, contract) for batch in sorted({1, contract.max_batch})
        }
        found = precisions(json.loads(_layers(plan).read_text()), half_convolutions(load_onnx(half)))
        details["convolutions"] = found.count()
        if warning := found.require_fp16():
            details["warning"] = warning
            print(f"warning: {plan}: {warning}", flush=True)
        feeds = validation_batches(contract, photos)
        difference = compare(onnxruntime_runner(full.read_bytes()), tensorrt_runner(plan), feeds, contract)
        details["fp32_vs_plan"] = difference.record(FP16_BUDGET)
        difference.require(FP16_BUDGET, plan, full)
    return plan


def _up_to_date(run: Run, plan: Path, source: Path, command: list[str]) -> bool:
    """Whether this very command made this very plan from this very ONNX."""
    made = [step for step in run.steps() if step.name == "plan" and plan.name in step.outputs]
    return bool(made) and plan.exists() and _facts(made[-1]) == (command, sha256(source), sha256(plan))


def _facts(step: Step) -> tuple[Any, str, str]:
    (source,), (plan,) = step.inputs.values(), step.outputs.values()
    return step.details["command"], source, plan


def _compute_ms(tool: trtexec.Trtexec, plan: Path, batch: int, contract: Contract) -> float:
    """Median time of one execution on the GPU, transfers excluded."""
    times = plan.with_suffix(f".times{batch}.json")
    trtexec.run(
        tool.benchmark_command(plan, batch, _layers(plan), times, contract),
        _log(plan, f"batch{batch}"),
        BENCHMARK_TIMEOUT_S,
    )
    return round(median(float(entry["computeMs"]) for entry in json.loads(times.read_text())), 3)


def _layers(plan: Path) -> Path:
    return plan.with_suffix(".layers.json")


def _log(plan: Path, name: str) -> Path:
    return plan.with_suffix(f".{name}.log")
