"""The service's engine and arithmetic in one Python process, without Triton: for the peers that serve.

The engine is the service's own (OpenVINO, same settings, same ONNX files) and so is the edit (pixels.edit): with any
other engine the comparison would be between engines, for which there is `make perf-engines`. Photos are read and
written by Pillow.
"""

import threading
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from perf.peers.files import read, write
from pixels.edit import enhance
from pixels.ranges import Floats
from pixels.refinement import Tile
from pixels.resampling import to_coarse
from pixels.tiling import TILE_PX
from serving.versions import ONNX_NAME, common_versions

TILES_IN_FLIGHT = 16  # as model_repository/tiler/config.pbtxt


class Editor:
    """Edits photo files; threads may share one.

    Args:
        repository: the model repository.
    """

    def __init__(self, repository: Path) -> None:
        version = str(common_versions(repository)[0])
        core = ov.Core()
        generator, self._refiner = (
            core.compile_model(repository / network / version / ONNX_NAME, "CPU", {"PERFORMANCE_HINT": hint})
            for network, hint in (("generator", "LATENCY"), ("refiner", "THROUGHPUT"))
        )
        self._generator, self._one_at_a_time = generator.create_infer_request(), threading.Lock()
        self._own = threading.local()

    def enhance(self, file: bytes, mode: str) -> bytes:
        """Edit a photo file, in mode "fast" or "full"."""
        photo = read(file)
        refine_tile = self._refine_tile if mode == "full" else None
        edited = enhance(photo, self._curves(photo), refine_tile, tiles_in_flight=TILES_IN_FLIGHT)
        return write(np.asarray(edited, np.uint8))

    def _curves(self, photo: NDArray[np.uint8]) -> Floats:
        with self._one_at_a_time:
            self._generator.infer({"COARSE": to_coarse(photo, TILE_PX)[None]})
            curves: Floats = self._generator.get_output_tensor().data[0].copy()
        return curves

    def _refine_tile(self, photo: Tile, applied: Tile) -> Tile:
        """In a thread of the edit's: each has a request of its own, whose memory is used again for the next tile."""
        if not hasattr(self._own, "request"):
            self._own.request = self._refiner.create_infer_request()
        self._own.request.infer({"PHOTO": photo[None], "APPLIED": applied[None]})
        refined: Tile = self._own.request.get_output_tensor().data[0].copy()
        return refined
