"""A network in OpenVINO as a Triton model: what runs the networks on a machine without a GPU."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from serving.inference import Network
from serving.triton import Tensors, answer, setting, tensor


class Engine:
    """One request in a batch is one tile."""

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the ONNX file of the version that is loaded; Triton calls this once."""
        config = json.loads(args["model_config"])
        self._inputs = [each["name"] for each in config["input"]]
        (self._output,) = (each["name"] for each in config["output"])
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        mode = setting(args, "execution_mode")
        self._network = Network(file, int(config["max_batch_size"]), {"EXECUTION_MODE_HINT": mode})

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch."""
        feeds = [{name: tensor(request, name) for name in self._inputs} for request in requests]
        results = zip(requests, self._network.results(feeds), strict=True)
        return [answer(request, partial(self._outputs, result)) for request, result in results]

    def _outputs(self, result: Callable[[], NDArray[Any]], _request: Any) -> Tensors:
        return {self._output: result()}
