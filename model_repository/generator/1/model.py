"""generator, CPU profile: the ONNX file in OpenVINO."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from pixels.serving import Tensors, answer, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        self.engine = ov.Core().compile_model(file, "CPU", {"PERFORMANCE_HINT": "LATENCY"})

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.run) for request in requests]

    def run(self, request: Any) -> Tensors:
        inputs = {name: tensor(request, name) for name in ("TILE", "EXPONENT")}
        edited = self.engine(inputs, share_inputs=True)["EDITED"]
        return {"EDITED": np.ascontiguousarray(edited, np.float32)}
