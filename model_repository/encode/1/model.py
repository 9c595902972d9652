"""encode: edited RGB to a photo file in the wanted format, with what the file that came in holds beside colours."""

from typing import Any

import numpy as np

from pixels.encoding import encode, transparency
from pixels.header import read_header
from pixels.metadata import carried_metadata
from pixels.metrics import Stage
from pixels.options import Options
from pixels.serving import Tensors, samples, tensor


class TritonPythonModel:
    def initialize(self, _args: dict[str, str]) -> None:
        self.stage = Stage("encode")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self.stage.answer(request, self.encode) for request in requests]

    def encode(self, request: Any, chosen: Options) -> Tensors:
        source = read_header(tensor(request, "IMAGE").tobytes(), max_megapixels=float("inf"))
        kind = source.format if chosen.format == "same" else chosen.format
        photo = samples(tensor(request, "ENHANCED_PIXELS"))
        file = encode(photo, kind, chosen.quality, transparency(source.image), carried_metadata(source.image))
        return {"ENHANCED": np.frombuffer(file, np.uint8)}
