"""A network's ONNX file in OpenVINO, as a Triton model: what runs the networks on a machine without a GPU."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import openvino as ov

from serving.triton import Tensors, answer, setting, tensor


class Engine:
    """One request in a batch is one tile: in rounds, a core for each; what is left over gets all cores.

    That is faster for all of them together, and three tiles on two cores would otherwise take as long as four.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the ONNX file of the version that is loaded; Triton calls this once."""
        config = json.loads(args["model_config"])
        self._inputs = [each["name"] for each in config["input"]]
        (self._output,) = (each["name"] for each in config["output"])
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        core, mode = ov.Core(), setting(args, "execution_mode")
        latency, throughput = (
            core.compile_model(file, "CPU", {"PERFORMANCE_HINT": hint, "EXECUTION_MODE_HINT": mode})
            for hint in ("LATENCY", "THROUGHPUT")
        )
        self._alone = latency.create_infer_request()
        self._round = int(throughput.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._together = [throughput.create_infer_request() for _ in range(int(config["max_batch_size"]))]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch."""
        left_over = len(requests) % self._round
        answers = [answer(request, self._run) for request in requests[:left_over]]
        workers = list(zip(self._together, requests[left_over:], strict=False))
        for worker, request in workers:
            self._start(worker, request)
        return answers + [answer(request, partial(self._result, worker)) for worker, request in workers]

    def _run(self, request: Any) -> Tensors:
        self._start(self._alone, request)
        return self._result(self._alone, request)

    def _start(self, worker: ov.InferRequest, request: Any) -> None:
        """Without waiting for it."""
        worker.start_async({name: tensor(request, name) for name in self._inputs}, share_inputs=True)

    def _result(self, worker: ov.InferRequest, _request: Any) -> Tensors:
        """Of a worker that has been started; its memory is valid until it is started again."""
        worker.wait()
        return {self._output: worker.get_output_tensor().data}
