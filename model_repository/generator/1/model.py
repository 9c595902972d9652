"""generator, CPU profile: the ONNX file in OpenVINO, in BF16 where the processor has instructions for it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import openvino as ov

from pixels.serving import Tensors, answer, tensor


class TritonPythonModel:
    """Tiles in rounds, a core for each, which is faster for all of them together; what is left over gets all cores.

    Three tiles on two cores would otherwise take as long as four.
    """

    def initialize(self, args: dict[str, str]) -> None:
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        core = ov.Core()
        latency, throughput = (
            core.compile_model(file, "CPU", {"PERFORMANCE_HINT": hint}) for hint in ("LATENCY", "THROUGHPUT")
        )
        self.alone = latency.create_infer_request()
        self.round = int(throughput.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        most = int(json.loads(args["model_config"])["max_batch_size"])
        self.together = [throughput.create_infer_request() for _ in range(most)]

    def execute(self, requests: list[Any]) -> list[Any]:
        left_over = len(requests) % self.round
        answers = [answer(request, self.edit) for request in requests[:left_over]]
        workers = list(zip(self.together, requests[left_over:], strict=False))
        for worker, request in workers:
            start(worker, request)
        return answers + [answer(request, partial(edited, worker)) for worker, request in workers]

    def edit(self, request: Any) -> Tensors:
        start(self.alone, request)
        return edited(self.alone, request)


def start(worker: ov.InferRequest, request: Any) -> None:
    """Without waiting for it."""
    worker.start_async({name: tensor(request, name) for name in ("TILE", "EXPONENT")}, share_inputs=True)


def edited(worker: ov.InferRequest, _request: Any) -> Tensors:
    """The result of a worker that has been started; its memory is valid until it is started again."""
    worker.wait()
    return {"EDITED": worker.get_output_tensor().data}
