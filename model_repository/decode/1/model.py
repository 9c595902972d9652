"""decode, CPU profile: checks a photo file's header and runs the DALI pipeline of dali.py on the CPU."""

from typing import Any

import numpy as np
from dali import decoded
from numpy.typing import NDArray
from nvidia.dali import pipeline_def, types
from nvidia.dali.pipeline import Pipeline

from pixels.errors import RequestError
from pixels.header import read_header
from pixels.serving import Tensors, answer, as_bytes, setting, tensor

DTYPES = {8: types.UINT8, 16: types.UINT16}


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.max_megapixels = float(setting(args, "max_megapixels"))
        self.threads = int(setting(args, "threads"))
        self.pipelines = {bits: self.build(bits) for bits in DTYPES}

    def build(self, bits: int) -> Pipeline:
        pipe = pipeline_def(decoded)(
            "cpu", DTYPES[bits], batch_size=1, num_threads=self.threads, device_id=None,
            prefetch_queue_depth=1, exec_pipelined=False, exec_async=False, exec_dynamic=False,
        )  # fmt: skip
        pipe.build()
        return pipe

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.decode) for request in requests]

    def decode(self, request: Any) -> Tensors:
        file = tensor(request, "IMAGE")
        header = read_header(file.tobytes(), self.max_megapixels)
        return {"PIXELS": as_bytes(self.run(file, header.bits, header.format))}

    def run(self, file: NDArray[np.uint8], bits: int, kind: str) -> NDArray[Any]:
        pipe = self.pipelines[bits]
        try:
            pipe.feed_input("IMAGE", [file])
            (photo,) = pipe.run()
        except RuntimeError:
            self.pipelines[bits] = self.build(bits)  # an error ends a DALI pipeline
            raise RequestError(f"the {kind} file is damaged or incomplete; export it again from the original") from None
        return np.asarray(photo[0])
