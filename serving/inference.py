"""A network's ONNX file in OpenVINO: loaded once, asked for one tile or for several at a time."""

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import openvino as ov
from numpy.typing import NDArray

Feed: TypeAlias = Mapping[str, NDArray[Any]]
"""The inputs of one tile by name, with a batch axis of 1."""


class Network:
    """A network compiled twice for this processor: for one tile on all cores, and for several with a core each.

    Args:
        file: ONNX, with one output.
        most: tiles that are computed side by side.
        properties: of OpenVINO, beside the performance hint.
    """

    def __init__(self, file: Path, most: int = 1, properties: Mapping[str, str] | None = None) -> None:
        core = ov.Core()
        latency, throughput = (
            core.compile_model(file, "CPU", {"PERFORMANCE_HINT": hint, **(properties or {})})
            for hint in ("LATENCY", "THROUGHPUT")
        )
        self._alone = latency.create_infer_request()
        self._round = int(throughput.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._together = [throughput.create_infer_request() for _ in range(most)]
        self._free: queue.SimpleQueue[ov.InferRequest] = queue.SimpleQueue()
        for worker in self._together:
            self._free.put(worker)

    def results(self, feeds: Sequence[Feed]) -> Iterator[Callable[[], NDArray[Any]]]:
        """Functions that return the tiles' outputs, in order; call each before the next is taken.

        Tiles go in rounds, a core for each; what is left over gets all cores, one after the other. That is faster for
        all of them together, and three tiles on two cores would otherwise take as long as four. An output has a batch
        axis of 1 and is valid until the next function is called.

        Args:
            feeds: at most as many as the network was made for.
        """
        left_over = len(feeds) % self._round
        for feed in feeds[:left_over]:
            yield partial(_run, self._alone, feed)
        workers = list(zip(self._together, feeds[left_over:], strict=False))
        for worker, feed in workers:
            worker.start_async(feed, share_inputs=True)
        for worker, _ in workers:
            yield partial(_result, worker)

    def run(self, feed: Feed) -> NDArray[Any]:
        """One tile on all cores; not from several threads. The output is valid until the next call."""
        return _run(self._alone, feed)

    def run_beside_others(self, feed: Feed) -> NDArray[Any]:
        """One tile of several that threads ask for at a time, a core for each; a copy."""
        worker = self._free.get()
        try:
            return _run(worker, feed).copy()
        finally:
            self._free.put(worker)


def _run(worker: ov.InferRequest, feed: Feed) -> NDArray[Any]:
    worker.start_async(feed, share_inputs=True)
    return _result(worker)


def _result(worker: ov.InferRequest) -> NDArray[Any]:
    worker.wait()
    output: NDArray[Any] = worker.get_output_tensor().data
    return output
