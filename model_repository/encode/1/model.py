"""encode: edited pixels to a photo file in the wanted format, with the metadata of the file that came in."""

from typing import Any

import numpy as np

from codec.metadata.carried import carried
from codec.reading import read_header
from codec.writing.photo import check_belongs, write_photo
from serving.metrics import Stage
from serving.options import Options
from serving.triton import Deadline, Tensors, samples, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.max_megapixels = float(setting(args, "max_megapixels"))
        self.stage = Stage("encode")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self.stage.answer(request, self.encode) for request in requests]

    def finalize(self) -> None:
        self.__dict__.clear()  # counters that outlive their process's talk with the server crash it

    def encode(self, request: Any, chosen: Options) -> Tensors:
        deadline = Deadline(request)
        deadline.check()
        pixels = tensor(request, "ENHANCED_PIXELS")
        source = read_header(memoryview(tensor(request, "IMAGE")), self.max_megapixels)
        check_belongs(pixels.shape, source)
        kind = source.format if chosen.format == "same" else chosen.format
        file = write_photo(samples(pixels), kind, chosen.quality, carried(source))
        deadline.check()
        return {"ENHANCED": np.frombuffer(file, np.uint8)}
