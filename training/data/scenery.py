"""What panoramas lack, added to their radiance: windows with a view, surface texture, coloured and uneven light.

All of it is added to the light of the scene before any camera sees it, so source and target stay consistent.
"""

from collections.abc import Callable

import cv2
import numpy as np

from training.data.fusion import Radiance, meter

ViewMaker = Callable[[int, int], Radiance]


def decorate(scene: Radiance, make_view: ViewMaker, rng: np.random.Generator) -> Radiance:
    """Add random light, texture and windows.

    Args:
        scene: float32 (height, width, 3), linear radiance of any scale.
        make_view: another scene's radiance of a given width and height in pixels.
        rng: source of every choice.

    Returns:
        Linear radiance of the same shape, log-average luminance about 0.18.
    """
    scene = meter(scene) * random_light(scene.shape[0], scene.shape[1], rng)
    if rng.random() < 0.7:
        scene = scene * random_texture(scene.shape[0], scene.shape[1], rng)
    for _ in range(rng.choice([0, 0, 1, 2, 3])):
        scene = add_window(scene, make_view, rng)
    return scene


def random_light(height: int, width: int, rng: np.random.Generator) -> Radiance:
    """Smooth gains (height, width, 3) around 1: lamps of several colours, light that falls off into the room."""
    level, tint = rng.uniform(0, 0.7), rng.uniform(0, 0.1)
    coarse = rng.normal(0, level, (3, 3, 1)) + rng.normal(0, tint, (3, 3, 3))
    smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.exp(smooth, dtype=np.float32)


def random_texture(height: int, width: int, rng: np.random.Generator) -> Radiance:
    """Reflectance (height, width, 3) with sharp edges and grain, around 1: overlapping shapes of falling size."""
    log_reflectance = np.zeros((height, width, 3), np.float32)
    contrast = rng.uniform(0.05, 0.6)
    for _ in range(rng.integers(10, 120)):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        size = max(2.0, max(height, width) * 0.25 * rng.pareto(1.5) / 10)
        box = cv2.boxPoints((centre, (size, size * rng.uniform(0.1, 1)), rng.uniform(0, 180)))
        shade = rng.normal(0, contrast) + rng.normal(0, contrast / 4, 3)
        cv2.fillPoly(log_reflectance, [box.astype(np.int32)], shade.tolist(), lineType=cv2.LINE_AA)
    grain = rng.standard_normal((height, width, 1), np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 3))[..., None]
    log_reflectance += soft * np.float32(rng.uniform(0, 0.15) / soft.std())
    return np.exp(log_reflectance, dtype=np.float32)


def add_window(scene: Radiance, make_view: ViewMaker, rng: np.random.Generator) -> Radiance:
    """A framed pane with another scene behind it, one to six stops brighter than the room."""
    height, width = scene.shape[:2]
    pane_width, pane_height = int(width * rng.uniform(0.08, 0.35)), int(height * rng.uniform(0.15, 0.6))
    left, top = int(rng.integers(width - pane_width)), int(rng.integers(height - pane_height))
    pane = meter(make_view(pane_width, pane_height)) * 2.0 ** rng.uniform(1, 6)
    frame = max(2, round(pane_width * rng.uniform(0.02, 0.08)))
    reflectance = rng.uniform(0.02, 0.8) * pane.mean() / 16
    for x in np.linspace(0, pane_width - frame, rng.integers(2, 5)).astype(int):
        pane[:, x : x + frame] = reflectance
    for y in np.linspace(0, pane_height - frame, rng.integers(2, 4)).astype(int):
        pane[y : y + frame] = reflectance
    result = scene.copy()
    result[top : top + pane_height, left : left + pane_width] = pane
    return result
