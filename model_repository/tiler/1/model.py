"""tiler: RGB to edited RGB. The algorithm is pixels.edit; this adapter sends its tiles to the generator (BLS)."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from pixels import device
from pixels.edit import enhance
from pixels.metrics import Counter, Stage
from pixels.options import Options
from pixels.ranges import Floats
from pixels.serving import Deadline, Tensors, Unavailable, as_bytes, as_tensor, samples, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.overlap_px = int(setting(args, "overlap_px"))
        self.tiles_in_flight = int(setting(args, "tiles_in_flight"))
        self.workers = ThreadPoolExecutor(self.tiles_in_flight)
        missing = device.missing()
        pb_utils.Logger.log_info(f"tiler works in the {f'memory of the host ({missing})' if missing else 'GPU'}")
        self.place = np.asarray if missing else device.cupy().asarray
        kind = pb_utils.TRITONSERVER_MEMORY_CPU if missing else pb_utils.TRITONSERVER_MEMORY_GPU
        self.memory = pb_utils.PreferredMemory(kind, 0)
        self.stage = Stage("tiler")
        self.begun = Counter("enhancer_photos_begun_total", "Photos that tiler took from its queue")
        self.photos = Counter("enhancer_photos_total", "Photos edited")
        self.megapixels = Counter("enhancer_megapixels_total", "Megapixels edited")
        self.tiles = Counter("enhancer_tiles_total", "Tiles sent to the generator")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self.stage.answer(request, self.edit) for request in requests]

    def finalize(self) -> None:
        self.workers.shutdown()

    def edit(self, request: Any, chosen: Options) -> Tensors:
        self.begun.add(1, mode=chosen.mode)
        photo = samples(self.place(tensor(request, "PIXELS")))
        edited = enhance(
            photo,
            partial(self.run_tiles, Deadline(request), request.trace(), chosen.mode),
            detail=chosen.mode == "full",
            strength=chosen.strength,
            overlap_px=self.overlap_px,
        )
        self.photos.add(1, mode=chosen.mode)
        self.megapixels.add(photo.shape[0] * photo.shape[1] / 1e6, mode=chosen.mode)
        return {"ENHANCED_PIXELS": as_bytes(edited)}

    def run_tiles(
        self, deadline: Deadline, trace: Any, mode: str, tiles: Iterable[Floats], exponent: Floats
    ) -> Iterator[Floats]:
        """pixels.detail.RunTiles: results in order, the next tiles under way while one is blended."""
        waiting: deque[Future[Floats]] = deque()
        try:
            for tile in tiles:
                deadline.check()
                self.tiles.add(1, mode=mode)
                waiting.append(self.workers.submit(run_tile, tile, exponent, trace, self.memory))
                if len(waiting) == self.tiles_in_flight:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            wait(waiting)  # they use the trace, which ends with the photo's answer, be it an error


def run_tile(tile: Floats, exponent: Floats, trace: Any, memory: Any) -> Floats:
    """Send one tile to the generator, where tiles of all photos share batches; in a trace, it is the photo's child."""
    response = pb_utils.InferenceRequest(
        model_name="generator",
        requested_output_names=["EDITED"],
        inputs=[
            as_tensor("TILE", tile[None]),
            pb_utils.Tensor("EXPONENT", exponent[None]),
        ],
        trace=trace,
        preferred_memory=memory,  # where the result is wanted
    ).exec()
    if response.has_error():
        raise Unavailable(f"the generator failed on a tile: {response.error().message()}")
    edited: Floats = tensor(response, "EDITED")[0]
    return edited
