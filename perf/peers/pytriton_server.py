"""The same networks through pytriton's own binding: a Python function behind the same tritonserver.

    python -m perf.peers.pytriton_server MODEL_REPOSITORY HTTP_PORT GRPC_PORT METRICS_PORT

Its input, output and parameters are named as the service's, so the project's own client speaks to it.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pytriton.model_config import ModelConfig, Tensor
from pytriton.proxy.types import Request
from pytriton.triton import Triton, TritonConfig

from perf.peers.editor import Editor


class Served:
    """The function that is bound.

    Args:
        editor: edits photos.
    """

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def __call__(self, requests: list[Request]) -> list[dict[str, NDArray[np.uint8]]]:
        """One answer for each request."""
        return [{"ENHANCED": np.frombuffer(self.enhanced(request), np.uint8)} for request in requests]

    def enhanced(self, request: Request) -> bytes:
        """The photo file of one request, edited."""
        return self.editor.enhance(request["IMAGE"].tobytes(), str((request.parameters or {}).get("mode", "full")))


def main() -> None:
    """Serve until interrupted."""
    repository, *ports = sys.argv[1:]
    http, grpc, metrics = map(int, ports)
    local = "127.0.0.1"
    config = TritonConfig(
        http_address=local, http_port=http, grpc_address=local, grpc_port=grpc,
        metrics_address=local, metrics_port=metrics,
    )  # fmt: skip
    with Triton(config=config) as triton:
        triton.bind(
            model_name="enhance",
            infer_func=Served(Editor(Path(repository))),
            inputs=[Tensor(name="IMAGE", dtype=np.uint8, shape=(-1,))],
            outputs=[Tensor(name="ENHANCED", dtype=np.uint8, shape=(-1,))],
            config=ModelConfig(batching=False),
        )
        triton.serve()


if __name__ == "__main__":
    main()
