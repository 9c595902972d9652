"""decode: photo file to upright pixels, and to the tile that decides the edit. All of it is codec.decoding."""

from typing import Any

from codec.decoding import Decoder
from serving.door import Door
from serving.metrics import Stage
from serving.options import Options
from serving.triton import Deadline, Tensors, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.decoder = Decoder(setting(args, "device"), float(setting(args, "max_megapixels")))
        self.door = Door(args)
        self.stage = Stage("decode")

    def execute(self, requests: list[Any]) -> list[Any]:
        (request,) = requests  # Triton batches none of a model without batches: the next photo gets this one's memory
        return [self.stage.answer(request, self.decode)]

    def finalize(self) -> None:
        self.decoder.close()
        self.__dict__.clear()  # counters that outlive their process's talk with the server crash it

    def decode(self, request: Any, chosen: Options) -> Tensors:
        deadline = Deadline(request)
        deadline.check()
        if "COARSE" not in request.requested_output_names():  # a frame for merge: what tiler gets is not this photo
            return {"PIXELS": self.decoder.decode(tensor(request, "IMAGE"), deadline).pixels}
        self.door.check(chosen)
        photo = self.decoder.decode(tensor(request, "IMAGE"), deadline)
        self.door.enter(photo.pixels.nbytes, deadline, chosen)
        return {"PIXELS": photo.pixels, "COARSE": photo.coarse}
