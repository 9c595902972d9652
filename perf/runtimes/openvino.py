"""The served ONNX file in OpenVINO, as the model `generator` of the CPU profile runs it."""

from pathlib import Path
from typing import Any

import numpy as np

from perf.runtimes import Floats, Run, Unavailable


def openvino(onnx: Path, precision: str) -> tuple[Run, str]:
    """One tile alone gets all cores; several at once get a core each.

    Args:
        onnx: the model.
        precision: "f32" or "bf16", the latter being what the server's OpenVINO chooses where the processor can.

    Raises:
        Unavailable: the processor cannot.
    """
    import openvino as ov

    core = ov.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise Unavailable("this processor has no BF16 instructions")
    latency, throughput = (
        core.compile_model(onnx, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision})
        for hint in ("LATENCY", "THROUGHPUT")
    )
    prepared: dict[int, tuple[list[Any], Floats]] = {}

    def run(tiles: Floats, exponents: Floats) -> Floats:
        count = len(tiles)
        if count not in prepared:
            prepared[count] = workers_of(latency if count == 1 else throughput, tiles.shape)
        workers, edited = prepared[count]
        for worker, tile, exponent in zip(workers, tiles, exponents, strict=True):
            worker.start_async({"TILE": tile[None], "EXPONENT": exponent[None]}, share_inputs=True)
        for worker in workers:
            worker.wait()
        return edited

    return run, f"openvino {ov.__version__.partition('-')[0]}"


def workers_of(compiled: Any, shape: tuple[int, ...]) -> tuple[list[Any], Floats]:  # noqa: ANN401 (no types there)
    """A request for each tile, and the array that they write into: copies would count as the engine's time."""
    import openvino as ov

    edited = np.empty(shape, np.float32)
    workers = [compiled.create_infer_request() for _ in edited]
    for worker, place in zip(workers, edited, strict=True):
        worker.set_output_tensor(ov.Tensor(place[None], shared_memory=True))
    return workers, edited
