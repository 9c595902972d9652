"""tiler: RGB to edited RGB. The algorithm is pixels.edit; this adapter sends its tiles to the generator (BLS)."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from pixels.edit import enhance
from pixels.ranges import Floats
from pixels.serving import Counters, Deadline, Tensors, answer, as_bytes, options, samples, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.overlap_px = int(setting(args, "overlap_px"))
        self.tiles_in_flight = int(setting(args, "tiles_in_flight"))
        self.workers = ThreadPoolExecutor(self.tiles_in_flight)
        self.photos = Counters("enhancer_photos_total", "Photos edited")
        self.megapixels = Counters("enhancer_megapixels_total", "Megapixels edited")
        self.tiles = Counters("enhancer_tiles_total", "Tiles sent to the generator")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.edit) for request in requests]

    def finalize(self) -> None:
        self.workers.shutdown()

    def edit(self, request: Any) -> Tensors:
        chosen = options(request)
        photo = samples(tensor(request, "PIXELS"))
        edited = enhance(
            photo,
            partial(self.run_tiles, Deadline(request), chosen.mode),
            detail=chosen.mode == "full",
            strength=chosen.strength,
            overlap_px=self.overlap_px,
        )
        self.photos.add(1, mode=chosen.mode)
        self.megapixels.add(photo.shape[0] * photo.shape[1] / 1e6, mode=chosen.mode)
        return {"ENHANCED_PIXELS": as_bytes(edited)}

    def run_tiles(self, deadline: Deadline, mode: str, tiles: Iterable[Floats], exponent: float) -> Iterator[Floats]:
        """pixels.detail.RunTiles: results in order, the next tiles under way while one is blended."""
        waiting: deque[Future[Floats]] = deque()
        for tile in tiles:
            deadline.check()
            self.tiles.add(1, mode=mode)
            waiting.append(self.workers.submit(run_tile, tile, exponent))
            if len(waiting) == self.tiles_in_flight:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def run_tile(tile: Floats, exponent: float) -> Floats:
    """Send one tile to the generator, where tiles of all photos share batches."""
    response = pb_utils.InferenceRequest(
        model_name="generator",
        requested_output_names=["EDITED"],
        inputs=[
            pb_utils.Tensor("TILE", tile[None]),
            pb_utils.Tensor("EXPONENT", np.full((1, 1), exponent, np.float32)),
        ],
    ).exec()
    if response.has_error():
        raise RuntimeError(response.error().message())
    edited: Floats = tensor(response, "EDITED")[0]
    return edited
