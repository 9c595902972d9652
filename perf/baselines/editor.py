"""The service's engine and arithmetic in one Python process, without Triton: for the baselines that serve.

The engine is the service's own (serving.inference, same ONNX files) and so is the edit (pixels.edit): with any other
engine the comparison would be between engines, for which there is `python -m perf engines`. Photos are read and written
by Pillow.
"""

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perf.baselines import read, write
from pixels.edit import enhance
from pixels.ranges import Floats
from pixels.refinement import Tile
from pixels.resampling import to_coarse
from pixels.tiling import TILE_PX
from serving.inference import Network
from serving.versions import ONNX_NAME, common_versions

TILES_IN_FLIGHT = 16  # as model_repository/tiler/config.pbtxt


class Editor:
    """Edits photo files; threads may share one.

    Args:
        repository: the model repository.
    """

    def __init__(self, repository: Path) -> None:
        version = str(common_versions(repository)[0])
        self._generator = Network(repository / "generator" / version / ONNX_NAME)
        self._refiner = Network(repository / "refiner" / version / ONNX_NAME, TILES_IN_FLIGHT)
        self._one_at_a_time = threading.Lock()

    def enhance(self, file: bytes, mode: str) -> bytes:
        """Edit a photo file, in mode "fast" or "full"."""
        photo = read(file)
        refine_tile = self._refine_tile if mode == "full" else None
        edited = enhance(photo, self._curves(photo), refine_tile, tiles_in_flight=TILES_IN_FLIGHT)
        return write(np.asarray(edited, np.uint8))

    def _curves(self, photo: NDArray[np.uint8]) -> Floats:
        coarse = to_coarse(photo, TILE_PX)[None]
        with self._one_at_a_time:
            curves: Floats = self._generator.run({"COARSE": coarse})[0].copy()
        return curves

    def _refine_tile(self, photo: Tile, applied: Tile) -> Tile:
        refined: Tile = self._refiner.run_beside_others({"PHOTO": photo[None], "APPLIED": applied[None]})[0]
        return refined
