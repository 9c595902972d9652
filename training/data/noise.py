"""Sensor noise as it arrives in a photo: shot and read noise of the light, smeared by demosaicing, and chroma blotches.

A sensor counts photons (Poisson: the deviation grows with the root of the light) and adds read noise. Each photosite
has one colour, and demosaicing interpolates the other two: what was independent becomes grain of one to two pixels,
coarser in red and blue, which have half as many photosites as green (Bayer). Cameras then blur the colour of the grain
away, and what survives of that are blotches many pixels wide.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.light import LUMINANCE
from training.data.fusion import Radiance

READ_NOISE = 0.01  # variance of the read noise, as a share of that of the shot noise at white
GREEN_KERNEL = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32)  # bilinear, from a quincunx
RED_BLUE_KERNEL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32)  # bilinear, from one site in four
BLOTCH_PX = 8
"""Size of the blotches."""
GRAIN_SHARE, BLOTCH_SHARE = 0.9, 0.45
"""Deviations of grain and blotches, whose squares add up to about 1."""


def with_noise(light: Radiance, deviation: float, rng: np.random.Generator) -> Radiance:
    """Light as a sensor records it.

    Args:
        light: float32 (height, width, 3), linear; 1 is the white that the sensor can just hold.
        deviation: standard deviation of a channel's noise at white, linear, about 0.001 (ISO 100) to 0.02 (ISO 6400).
        rng: source of the noise.

    Returns:
        float32 (height, width, 3), its mean that of the light; below zero where noise outweighs the light.
    """
    spread = np.float32(deviation) * np.sqrt(np.clip(light, 0, 1) + READ_NOISE)
    height, width = light.shape[:2]
    noise = GRAIN_SHARE * grain(height, width, rng) + BLOTCH_SHARE * blotches(height, width, rng)
    return np.asarray(light + spread * noise, np.float32)


def grain(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise (height, width, 3) of deviation 1 that demosaicing has smeared."""
    white = rng.standard_normal((height, width, 3), np.float32)
    kernels = (RED_BLUE_KERNEL, GREEN_KERNEL, RED_BLUE_KERNEL)
    planes = [smeared(white[..., channel], kernel) for channel, kernel in enumerate(kernels)]
    return np.stack(planes, axis=-1)


def smeared(white: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """White noise of deviation 1, blurred, at deviation 1 again."""
    unit = kernel / np.sqrt((kernel**2).sum())
    return np.asarray(cv2.filter2D(white, -1, unit, borderType=cv2.BORDER_REFLECT), np.float32)


def blotches(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Slow noise (height, width, 3) of colour alone: deviation about 1, luminance 0."""
    rows, columns = height // BLOTCH_PX + 2, width // BLOTCH_PX + 2
    coarse = rng.standard_normal((rows, columns, 3), np.float32)
    wide = cv2.resize(coarse, (columns * BLOTCH_PX, rows * BLOTCH_PX), interpolation=cv2.INTER_CUBIC)
    top, left = (int(shift) for shift in rng.integers(BLOTCH_PX, size=2))
    colour = wide[top : top + height, left : left + width]
    colour = colour - (colour @ LUMINANCE)[..., None]
    return np.asarray((colour - colour.mean((0, 1))) / colour.std(), np.float32)
