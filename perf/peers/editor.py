"""The service's engine and arithmetic in one Python process, without Triton: for the peers that serve.

The engine is the service's own (OpenVINO, same settings, same ONNX file) and so is the edit (pixels.edit): with another
engine the comparison would be between engines, for which there is `make perf-engines`. Photos are read and written by
Pillow.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import openvino as ov

from perf.peers.files import read, write
from pixels.edit import enhance
from pixels.ranges import Floats


class Editor:
    """Edits photo files; threads may share one.

    Args:
        onnx: path of the generator.
    """

    def __init__(self, onnx: str) -> None:
        core = ov.Core()
        latency, self.throughput = (
            core.compile_model(onnx, "CPU", {"PERFORMANCE_HINT": hint}) for hint in ("LATENCY", "THROUGHPUT")
        )
        self.in_flight = 1 + int(self.throughput.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.workers = ThreadPoolExecutor(self.in_flight, initializer=self._prepare)
        self.own = threading.local()
        self.alone, self.one_at_a_time = latency.create_infer_request(), threading.Lock()

    def enhance(self, file: bytes, mode: str) -> bytes:
        """Edit a photo file, in mode "fast" or "full"."""
        return write(np.asarray(enhance(read(file), self._run_tiles, detail=mode == "full"), np.uint8))

    def _prepare(self) -> None:
        """Each worker has a request of its own."""
        self.own.request = self.throughput.create_infer_request()

    def _run_tiles(self, tiles: Iterable[Floats], exponent: Floats) -> Iterator[Floats]:
        """pixels.detail.RunTiles: the coarse tile with all cores, the others side by side."""
        if isinstance(tiles, list):
            yield from (self._run_alone(tile, exponent) for tile in tiles)
            return
        waiting: deque[Future[Floats]] = deque()
        for tile in tiles:
            waiting.append(self.workers.submit(self._run, tile, exponent))
            if len(waiting) == self.in_flight:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _run(self, tile: Floats, exponent: Floats) -> Floats:
        return infer(self.own.request, tile, exponent)

    def _run_alone(self, tile: Floats, exponent: Floats) -> Floats:
        with self.one_at_a_time:
            return infer(self.alone, tile, exponent)


def infer(request: ov.InferRequest, tile: Floats, exponent: Floats) -> Floats:
    """One tile through a request, whose memory is copied: it is used again for the next tile."""
    request.infer({"TILE": tile[None], "EXPONENT": exponent[None]}, share_inputs=True)
    edited: Floats = request.get_output_tensor().data[0].copy()
    return edited
