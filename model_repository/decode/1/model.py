"""decode: photo file to upright pixels, and to the tile that decides the edit. All of it is pixels.codecs.decoding."""

from typing import Any

from pixels.codecs.decoding import Decoder
from pixels.metrics import Counter, Stage
from pixels.options import Options
from pixels.serving import Deadline, Tensors, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.decoder = Decoder(setting(args, "device"), float(setting(args, "max_megapixels")))
        self.stage = Stage("decode")
        self.decoded = Counter("enhancer_photos_decoded_total", "Photos that went on to the queue of tiler")

    def execute(self, requests: list[Any]) -> list[Any]:
        (request,) = requests  # Triton batches none of a model without batches: the next photo gets this one's memory
        return [self.stage.answer(request, self.decode)]

    def finalize(self) -> None:
        self.decoder.close()

    def decode(self, request: Any, chosen: Options) -> Tensors:
        photo = self.decoder.decode(tensor(request, "IMAGE"), Deadline(request))
        self.decoded.add(1, mode=chosen.mode)
        return {"PIXELS": photo.pixels, "COARSE": photo.coarse}
