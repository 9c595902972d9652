"""generator, CPU profile: the ONNX file in OpenVINO, in BF16 where the processor has instructions for it."""

from functools import partial
from pathlib import Path
from typing import Any

import openvino as ov

from pixels.serving import Tensors, answer, tensor


class TritonPythonModel:
    """One tile alone gets all cores; several at once get a core each, which is faster for all of them together."""

    def initialize(self, args: dict[str, str]) -> None:
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        core = ov.Core()
        latency, throughput = (
            core.compile_model(file, "CPU", {"PERFORMANCE_HINT": hint}) for hint in ("LATENCY", "THROUGHPUT")
        )
        self.alone = latency.create_infer_request()
        self.together: list[ov.InferRequest] = []
        self.throughput = throughput

    def execute(self, requests: list[Any]) -> list[Any]:
        while len(self.together) < len(requests):
            self.together.append(self.throughput.create_infer_request())
        workers = [self.alone] if len(requests) == 1 else self.together[: len(requests)]
        for worker, request in zip(workers, requests, strict=True):
            worker.start_async({name: tensor(request, name) for name in ("TILE", "EXPONENT")}, share_inputs=True)
        return [
            answer(request, partial(edited, worker)) for worker, request in zip(workers, requests, strict=True)
        ]  # fmt: skip


def edited(worker: ov.InferRequest, _request: Any) -> Tensors:
    """The result of a worker that has been started; its memory is valid until it is started again."""
    worker.wait()
    return {"EDITED": worker.get_output_tensor().data}
