"""The served ONNX file in OpenVINO, as the CPU profile runs it (serving.engine)."""

from pathlib import Path
from typing import Any

import numpy as np

from perf.runtimes import Array, Run, Tiles, Unavailable


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
    prepared: dict[int, tuple[list[Any], Array]] = {}

    def run(tiles: Tiles) -> Array:
        count = len(next(iter(tiles.values())))
        if count not in prepared:
            prepared[count] = workers_of(latency if count == 1 else throughput, count)
        workers, results = prepared[count]
        for number, worker in enumerate(workers):
            one = {name: array[number : number + 1] for name, array in tiles.items()}
            worker.start_async(one, share_inputs=True)
        for worker in workers:
            worker.wait()
        return results

    return run, f"openvino {ov.__version__.partition('-')[0]}"


def workers_of(compiled: Any, count: int) -> tuple[list[Any], Array]:  # noqa: ANN401 (no types there)
    """A request for each tile, and the array that they write into: copies would count as the engine's time."""
    import openvino as ov

    output = compiled.output(0)
    shape = [size.get_length() for size in output.partial_shape][1:]
    results = np.empty((count, *shape), output.element_type.to_dtype())
    workers = [compiled.create_infer_request() for _ in results]
    for worker, place in zip(workers, results, strict=True):
        worker.set_output_tensor(ov.Tensor(place[None], shared_memory=True))
    return workers, results
