"""tiler: RGB to edited RGB. The algorithm is pixels.edit; this adapter sends its tiles to the generator (BLS)."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from pixels.edit import enhance
from pixels.ranges import Floats
from pixels.serving import Tensors, answer, as_bytes, options, samples, setting, tensor


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.overlap_px = int(setting(args, "overlap_px"))
        self.tiles_in_flight = int(setting(args, "tiles_in_flight"))
        self.workers = ThreadPoolExecutor(self.tiles_in_flight)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.edit) for request in requests]

    def finalize(self) -> None:
        self.workers.shutdown()

    def edit(self, request: Any) -> Tensors:
        chosen = options(request)
        edited = enhance(
            samples(tensor(request, "PIXELS")),
            self.run_tiles,
            detail=chosen.mode == "full",
            strength=chosen.strength,
            overlap_px=self.overlap_px,
        )
        return {"ENHANCED_PIXELS": as_bytes(edited)}

    def run_tiles(self, tiles: Iterable[Floats], exponent: float) -> Iterator[Floats]:
        """pixels.edit.RunTiles: results in order, the next tiles under way while one is blended."""
        waiting: deque[Future[Floats]] = deque()
        for tile in tiles:
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
