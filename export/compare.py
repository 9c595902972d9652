"""Compare two engines on the same tiles, through Polygraphy, against a budget in a picture's own units."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from polygraphy.backend.base import BaseRunner
from polygraphy.backend.onnxrt import OnnxrtRunner
from polygraphy.comparator import Comparator
from polygraphy.logger import G_LOGGER

from export.contract import Contract
from export.errors import ExportError

Feed = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Budget:
    """How far a copy may be from its reference, on values where 1 is white.

    Attributes:
        max_abs_error: largest difference of one value.
        min_psnr_db: peak signal-to-noise ratio over one batch, peak 1.
    """

    max_abs_error: float
    min_psnr_db: float


FP32_BUDGET = Budget(max_abs_error=1e-3, min_psnr_db=80.0)  # a quarter of a stored value; 80 dB is 1e-4 everywhere
FP16_BUDGET = Budget(max_abs_error=3 / 255, min_psnr_db=50.0)


@dataclass(frozen=True)
class Difference:
    """Of one output over all batches, on values where 1 is white.

    Attributes:
        max_abs_error: of the worst value.
        min_psnr_db: of the worst batch.
        step: from one stored value to the next, where values are stored as integers: nearly equal ones may be rounded
            to either side.
    """

    max_abs_error: float
    min_psnr_db: float
    step: float = 0.0

    def require(self, budget: Budget, copy: Path, reference: Path) -> None:
        """Hold a copy to its budget; a NaN breaks it.

        Raises:
            ExportError: says what breaks it, and by how much.
        """
        found = []
        if not self.max_abs_error <= (allowed := budget.max_abs_error + self.step):
            found.append(f"max error {self.max_abs_error:.2e} exceeds {allowed:.2e}")
        if not self.min_psnr_db >= budget.min_psnr_db:
            found.append(f"PSNR {self.min_psnr_db:.1f} dB is under {budget.min_psnr_db:.1f} dB")
        if found:
            raise ExportError(f"{copy} differs from {reference}: {'; '.join(found)}")

    def record(self, budget: Budget) -> dict[str, Any]:
        """Plain JSON for the manifest."""
        return asdict(self) | {"budget": asdict(budget)}


def compare(reference: BaseRunner, copy: BaseRunner, feeds: list[Feed], contract: Contract) -> Difference:
    """Run both on the same batches and measure how far apart their outputs are."""
    with G_LOGGER.verbosity(G_LOGGER.WARNING):
        results = Comparator.run([reference, copy], data_loader=feeds)
    (output,) = contract.outputs
    step = 0.0 if output.white == 1 else 1 / output.white
    errors, psnrs = [], []
    for ours, theirs in zip(*(iterations for _, iterations in results.items()), strict=True):
        error = (ours[output.name].astype(np.float64) - theirs[output.name].astype(np.float64)) / output.white
        errors.append(float(np.abs(error).max()))
        psnrs.append(_psnr_db(float((error**2).mean())))
    return Difference(float(np.max(errors)), float(np.min(psnrs)), step)


def _psnr_db(mean_squared_error: float) -> float:
    return 200.0 if mean_squared_error < 1e-20 else -10 * math.log10(mean_squared_error)  # JSON has no infinity


def onnxruntime_runner(model: bytes, threads: int = 2) -> OnnxrtRunner:
    """ONNX Runtime on the CPU."""
    return OnnxrtRunner(_session(model, threads), name="onnxruntime")


def _session(model: bytes, threads: int) -> Callable[[], Any]:
    def load() -> Any:  # noqa: ANN401 (onnxruntime has no types)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    return load


def tensorrt_runner(plan: Path) -> BaseRunner:
    """TensorRT on the GPU.

    Raises:
        ExportError: TensorRT's Python package is missing.
    """
    try:
        import tensorrt  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        raise ExportError(
            "TensorRT's Python package is missing: check plans in the image of deploy/Dockerfile"
        ) from None
    from polygraphy.backend.common import BytesFromPath
    from polygraphy.backend.trt import EngineFromBytes, TrtRunner

    return TrtRunner(EngineFromBytes(BytesFromPath(str(plan))), name="tensorrt")
