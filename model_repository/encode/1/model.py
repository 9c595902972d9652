"""encode: edited RGB to a photo file in the wanted format, with the metadata of the file that came in."""

import io
from typing import Any

import numpy as np
from PIL import Image

from pixels.header import read_header
from pixels.metadata import carried_metadata
from pixels.serving import Tensors, answer, options, samples, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        pass

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.encode) for request in requests]

    def encode(self, request: Any) -> Tensors:
        chosen = options(request)
        source = read_header(tensor(request, "IMAGE").tobytes(), max_megapixels=float("inf"))
        kind = source.format if chosen.format == "same" else chosen.format
        photo = samples(tensor(request, "ENHANCED_PIXELS"))
        file = io.BytesIO()
        Image.fromarray(photo).save(file, kind, quality=chosen.quality, **carried_metadata(source.image))
        return {"ENHANCED": np.frombuffer(file.getbuffer(), np.uint8)}
