"""Files of linear radiance: .hdr and .exr in, .hdr (Radiance RGBE) out."""

from pathlib import Path

import cv2
import numpy as np

from training.data.fusion import Radiance
from training.data.pairs import PairsError


def read_radiance(path: Path) -> Radiance:
    """Linear RGB radiance, float32 (height, width, 3), not negative.

    Raises:
        PairsError: unreadable.
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if bgr is None or bgr.dtype != np.float32:
        raise PairsError(f"{path}: not a readable HDR image (.hdr, linear radiance)")
    return np.maximum(bgr[..., ::-1], 0)


def write_radiance(path: Path, radiance: Radiance) -> None:
    """Write a .hdr file beside the path, then put it in place."""
    _, data = cv2.imencode(".hdr", radiance[..., ::-1])
    partial = path.with_suffix(".partial")
    partial.write_bytes(data.tobytes())
    partial.replace(path)
