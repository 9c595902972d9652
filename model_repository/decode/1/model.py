"""decode: photo file to upright pixels, and to the tile that decides the edit. All of it is codec.decoding."""

from typing import Any

from codec.decoding import Decoder
from serving.metrics import Counter, Stage
from serving.options import Options
from serving.triton import Deadline, Full, Tensors, setting, tensor
from serving.waiting import WaitingRoom


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.decoder = Decoder(setting(args, "device"), float(setting(args, "max_megapixels")))
        megabytes, photos = float(setting(args, "max_waiting_megabytes")), int(setting(args, "max_waiting_photos"))
        self.room = WaitingRoom(int(megabytes * 1e6), photos)
        self.stage = Stage("decode")
        self.decoded = Counter("enhancer_photos_decoded_total", "Photos for the queue of tiler, be it full")

    def execute(self, requests: list[Any]) -> list[Any]:
        (request,) = requests  # Triton batches none of a model without batches: the next photo gets this one's memory
        return [self.stage.answer(request, self.decode)]

    def finalize(self) -> None:
        self.decoder.close()
        self.__dict__.clear()  # counters that outlive their process's talk with the server crash it

    def decode(self, request: Any, chosen: Options) -> Tensors:
        deadline = Deadline(request)
        deadline.check()
        if self.room.is_full():
            self.turn_away(chosen)
        photo = self.decoder.decode(tensor(request, "IMAGE"), deadline)
        if not self.room.enter(photo.pixels.nbytes, deadline.left_s()):
            self.turn_away(chosen)
        self.decoded.add(1, mode=chosen.mode)
        return {"PIXELS": photo.pixels, "COARSE": photo.coarse}

    def turn_away(self, chosen: Options) -> None:
        self.decoded.add(1, mode=chosen.mode)
        raise Full("the server has as many photos waiting as it can hold: try again in a few seconds")
