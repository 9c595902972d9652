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
    alone = latency.create_infer_request()
    together: list[ov.InferRequest] = []

    def run(tiles: Floats, exponents: Floats) -> Floats:
        while len(together) < len(tiles):
            together.append(throughput.create_infer_request())
        workers = [alone] if len(tiles) == 1 else together[: len(tiles)]
        for worker, tile, exponent in zip(workers, tiles, exponents, strict=True):
            worker.start_async({"TILE": tile[None], "EXPONENT": exponent[None]}, share_inputs=True)
        return np.concatenate([finished(worker) for worker in workers])

    return run, f"openvino {ov.__version__.partition('-')[0]}"


def finished(worker: Any) -> Floats:  # noqa: ANN401 (OpenVINO has no types)
    """The result of a request that was started."""
    worker.wait()
    edited: Floats = worker.get_output_tensor().data
    return edited
