"""Virtual cameras inside HDR panoramas: perspective views of true radiance."""

from pathlib import Path

import cv2
import numpy as np

from training.data.fusion import Radiance
from training.data.pairs import PairsError
from training.data.radiance import read_radiance


def read_panorama(path: Path) -> Radiance:
    """Linear RGB radiance, float32 (height, width, 3), of an equirectangular .hdr or .exr file.

    Raises:
        PairsError: unreadable, or not twice as wide as high.
    """
    radiance = read_radiance(path)
    rows, columns = radiance.shape[:2]
    if columns != 2 * rows:
        raise PairsError(f"{path}: {columns}x{rows} is not equirectangular; the width is twice the height")
    return radiance


def view(
    panorama: Radiance, yaw_deg: float, pitch_deg: float, view_deg: float, width_px: int, height_px: int
) -> Radiance:
    """A perspective view.

    Args:
        panorama: float32 (H, 2H, 3), equirectangular, linear.
        yaw_deg: direction around the horizon; 0 is the panorama's centre, positive to the right.
        pitch_deg: tilt upwards.
        view_deg: horizontal angle of view.
        width_px: width of the result.
        height_px: height of the result.

    Returns:
        float32 (height_px, width_px, 3), linear.
    """
    half = np.tan(np.radians(view_deg) / 2)
    x = np.linspace(-half, half, width_px)[None, :]
    y = np.linspace(half, -half, height_px)[:, None] * (height_px / width_px)
    pitch = np.radians(pitch_deg)
    forward, up = np.cos(pitch) - y * np.sin(pitch), np.sin(pitch) + y * np.cos(pitch)
    longitude = np.arctan2(x, forward) + np.radians(yaw_deg)
    latitude = np.arctan2(up, np.hypot(x, forward))
    rows, columns = panorama.shape[:2]
    map_x = (longitude / (2 * np.pi) + 0.5) * columns - 0.5
    map_y = (0.5 - latitude / np.pi) * rows - 0.5
    sampled = cv2.remap(
        panorama, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(sampled, np.float32)
