"""Input data for perf_analyzer: what each model is asked, made from the sample photos."""

import base64
import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from perf.load.scenarios import Scenario
from perf.photos import SAMPLES, photo_file
from pixels.curves import CELLS, KNOTS
from pixels.resampling import to_coarse
from pixels.tiling import TILE_PX

Tensors = dict[str, NDArray[Any]]


def input_data(scenario: Scenario) -> bytes:
    """perf_analyzer's JSON: one entry a photo, each tensor's bytes in base64 and its shape."""
    entries = []
    for number, (width, height) in enumerate(scenario.sizes_px):
        tensors = model_inputs(scenario.model, photo_file(width, height, SAMPLES[number % len(SAMPLES)]))
        entries.append({name: _entry(tensor) for name, tensor in tensors.items()})
    return json.dumps({"data": entries}).encode()


def _entry(tensor: NDArray[Any]) -> dict[str, Any]:
    return {"content": {"b64": base64.b64encode(tensor.tobytes()).decode()}, "shape": list(tensor.shape)}


def model_inputs(model: str, file: bytes) -> Tensors:
    """The input tensors of a model for a photo, without the batch's dimension."""
    if model in ("enhance", "decode"):
        return {"IMAGE": np.frombuffer(file, np.uint8)}
    image = Image.open(io.BytesIO(file)).convert("RGB")
    photo = np.asarray(image)
    if model == "tiler":
        return {"PIXELS": photo, "COARSE": to_coarse(photo, TILE_PX)}
    if model == "encode":
        return {"ENHANCED_PIXELS": photo, "IMAGE": np.frombuffer(file, np.uint8)}
    if model == "generator":
        return {"COARSE": to_coarse(photo, TILE_PX)}
    return dict.fromkeys(("PHOTO", "APPLIED"), np.asarray(image.resize((TILE_PX, TILE_PX))))


def largest_output_bytes(scenario: Scenario) -> int:
    """What a region of shared memory for the answer must hold, for one item of a batch."""
    tile = 3 * TILE_PX**2
    if scenario.model == "generator":
        return 4 * 3 * len(KNOTS) * CELLS**2
    if scenario.model == "refiner":
        return tile
    pixels = max(width * height for width, height in scenario.sizes_px)
    return max(3 * pixels, 4 * tile)  # of decode, which also answers with the coarse tile; encoded photos are smaller
