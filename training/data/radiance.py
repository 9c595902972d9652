"""Files of linear radiance: .hdr and .exr in, .hdr (Radiance RGBE) out."""

from pathlib import Path

import cv2
import numpy as np

from files.writing import write_whole
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
    """Write a .hdr file."""
    _, data = cv2.imencode(".hdr", radiance[..., ::-1])
    write_whole(path, data.tobytes())
