"""tiler: a photo and its coarse copy to the edited photo. The edit is pixels.edit; the networks are asked by BLS."""

from pathlib import Path
from typing import Any

from pixels.edit import enhance
from pixels.refinement import Tile
from serving.metrics import Counter, Stage
from serving.options import Options
from serving.triton import Deadline, Tensors, as_bytes, call, samples, served_version, setting, tensor
from serving.versions import model_names
from serving.waiting import WaitingRoom


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.repository = Path(args["model_repository"]).parent
        self.tiles_in_flight = int(setting(args, "tiles_in_flight"))
        self.room = WaitingRoom()
        self.room.rest()
        self.stage = Stage("tiler")
        self.begun = Counter("enhancer_photos_begun_total", "Photos that tiler took from its queue")
        self.photos = Counter("enhancer_photos_total", "Photos edited")
        self.megapixels = Counter("enhancer_megapixels_total", "Megapixels edited")
        self.tiles = Counter("enhancer_tiles_total", "Tiles sent to the refiner")

    def execute(self, requests: list[Any]) -> list[Any]:
        try:
            return [self.stage.answer(request, self.edit) for request in requests]
        finally:
            self.room.rest()

    def finalize(self) -> None:
        self.__dict__.clear()  # counters that outlive their process's talk with the server crash it

    def edit(self, request: Any, chosen: Options) -> Tensors:
        self.room.begin(tensor(request, "PIXELS").nbytes)
        self.begun.add(1, mode=chosen.mode)
        deadline, trace = Deadline(request), request.trace()
        sent: list[str] = []
        version = served_version(self.repository, chosen.style)
        generator, refiner = model_names(chosen.style)

        def refine_tile(photo: Tile, applied: Tile) -> Tile:
            deadline.check()
            sent.append(refiner)
            return call(refiner, version, {"PHOTO": photo[None], "APPLIED": applied[None]}, "REFINED", trace)[0]

        photo = samples(tensor(request, "PIXELS"))
        (curves,) = call(generator, version, {"COARSE": tensor(request, "COARSE")[None]}, "CURVES", trace)
        try:
            edited = enhance(
                photo,
                curves,
                refine_tile if chosen.mode == "full" else None,
                strength=chosen.strength,
                tiles_in_flight=self.tiles_in_flight,
                out=photo if chosen.mode == "fast" else None,  # the request's own copy, and one fewer as large as it
            )
        finally:
            self.tiles.add(len(sent), mode=chosen.mode)  # here, since Triton's counters are for one thread alone
        self.photos.add(1, mode=chosen.mode)
        self.megapixels.add(photo.shape[0] * photo.shape[1] / 1e6, mode=chosen.mode)
        return {"ENHANCED_PIXELS": as_bytes(edited)}
