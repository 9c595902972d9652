"""decode, CPU profile: checks a photo file's header and runs the DALI pipeline of dali.py on the CPU."""

from typing import Any

import numpy as np
from dali import decoded
from numpy.typing import NDArray
from nvidia.dali import pipeline_def, types
from nvidia.dali.pipeline import Pipeline
from PIL import Image, ImageOps

from pixels.errors import RequestError
from pixels.header import read_header
from pixels.metrics import Counter, Stage
from pixels.options import Options
from pixels.serving import Tensors, as_bytes, setting, tensor

DTYPES = {8: types.UINT8, 16: types.UINT16}


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.max_megapixels = float(setting(args, "max_megapixels"))
        self.threads = int(setting(args, "threads"))
        self.pipelines = {bits: self.build(bits) for bits in DTYPES}
        self.stage = Stage("decode")
        self.decoded = Counter("enhancer_photos_decoded_total", "Photos that went on to the queue of tiler")

    def build(self, bits: int) -> Pipeline:
        pipe = pipeline_def(decoded)(
            "cpu", DTYPES[bits], batch_size=1, num_threads=self.threads, device_id=None,
            prefetch_queue_depth=1, exec_pipelined=False, exec_async=False, exec_dynamic=False,
        )  # fmt: skip
        pipe.build()
        return pipe

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self.stage.answer(request, self.decode) for request in requests]

    def decode(self, request: Any, chosen: Options) -> Tensors:
        file = tensor(request, "IMAGE")
        header = read_header(file.tobytes(), self.max_megapixels)
        try:
            photo = decode_webp(header.image) if header.format == "webp" else self.run(header.bits, file)
        except (RuntimeError, OSError, SyntaxError):
            raise RequestError(f"the {header.format} file is damaged or incomplete; export it again") from None
        self.decoded.add(1, mode=chosen.mode)
        return {"PIXELS": as_bytes(photo)}

    def run(self, bits: int, file: NDArray[np.uint8]) -> NDArray[Any]:
        """Raises RuntimeError for a damaged file."""
        pipe = self.pipelines[bits]
        try:
            pipe.feed_input("IMAGE", [file])
            (photo,) = pipe.run()
        except RuntimeError:
            self.pipelines[bits] = self.build(bits)  # an error ends a DALI pipeline
            raise
        return np.asarray(photo[0])


def decode_webp(image: Image.Image) -> NDArray[np.uint8]:
    """Pillow's turn: DALI 2.4 (nvImageCodec 0.9) does not read WebP files with metadata."""
    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
