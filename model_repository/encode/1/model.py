"""encode: edited RGB to a photo file in the wanted format, with what the file that came in holds beside colours."""

from typing import Any

import numpy as np

from pixels.encoding import encode, transparency
from pixels.header import read_header
from pixels.metadata import carried_metadata
from pixels.serving import Tensors, answer, options, samples, tensor


class TritonPythonModel:
    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.encode) for request in requests]

    def encode(self, request: Any) -> Tensors:
        chosen = options(request)
        source = read_header(tensor(request, "IMAGE").tobytes(), max_megapixels=float("inf"))
        kind = source.format if chosen.format == "same" else chosen.format
        photo = samples(tensor(request, "ENHANCED_PIXELS"))
        file = encode(photo, kind, chosen.quality, transparency(source.image), carried_metadata(source.image))
        return {"ENHANCED": np.frombuffer(file, np.uint8)}
