"""Time of the generator's CPU engine without Triton, in the server's environment; prints JSON.

.venv-server/bin/python perf/engine_alone.py MODEL.onnx TILES.npz OUT.npy
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import openvino as ov

REPEATS = 12
TOGETHER = 8


def median_s(work: Callable[[], object]) -> float:
    """Median of REPEATS timings in seconds, after one that does not count."""
    work()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """One tile with all cores, and the time per tile of eight side by side, as the model `generator` runs them."""
    model, tiles, out = sys.argv[1:]
    stored = np.load(tiles)
    feed = {"TILE": stored["tile"], "EXPONENT": stored["exponent"]}
    core = ov.Core()
    alone = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
    throughput = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    workers = [throughput.create_infer_request() for _ in range(TOGETHER)]

    def together() -> None:
        for worker in workers:
            worker.start_async(feed, share_inputs=True)
        for worker in workers:
            worker.wait()

    result = {
        "one_tile_s": median_s(lambda: alone.infer(feed, share_inputs=True)),
        "per_tile_together_s": median_s(together) / TOGETHER,
    }
    np.save(out, alone.get_output_tensor().data)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
