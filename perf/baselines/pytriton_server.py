"""The same networks through pytriton's own binding: a Python function behind the same tritonserver.

    python -m perf.baselines.pytriton_server MODEL_REPOSITORY HTTP_PORT GRPC_PORT METRICS_PORT

Its input, output and parameters are named as the service's, so the project's own client speaks to it.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pytriton.model_config import ModelConfig, Tensor
from pytriton.proxy.types import Request
from pytriton.triton import Triton, TritonConfig

from perf.baselines.editor import Editor


def main() -> None:
    """Serve until interrupted."""
    editor, (http, grpc, metrics) = Editor(Path(sys.argv[1])), map(int, sys.argv[2:])

    def enhance(requests: list[Request]) -> list[dict[str, NDArray[np.uint8]]]:
        modes = [str((request.parameters or {}).get("mode", "full")) for request in requests]
        files = [editor.enhance(each["IMAGE"].tobytes(), mode) for each, mode in zip(requests, modes, strict=True)]
        return [{"ENHANCED": np.frombuffer(file, np.uint8)} for file in files]

    addresses = dict.fromkeys(("http_address", "grpc_address", "metrics_address"), "127.0.0.1")
    with Triton(config=TritonConfig(**addresses, http_port=http, grpc_port=grpc, metrics_port=metrics)) as triton:
        triton.bind(
            model_name="enhance",
            infer_func=enhance,
            inputs=[Tensor(name="IMAGE", dtype=np.uint8, shape=(-1,))],
            outputs=[Tensor(name="ENHANCED", dtype=np.uint8, shape=(-1,))],
            config=ModelConfig(batching=False),
        )
        triton.serve()


if __name__ == "__main__":
    main()
