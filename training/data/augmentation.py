"""Augmentation: flips and small rotations, identical for both photos of a pair; casts on the source."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.light import GAMMA, LUMINANCE
from training.data.fusion import Photo


@dataclass(frozen=True)
class Augmentation:
    """How pairs are varied. The default changes nothing."""

    horizontal_flip: float = 0.0
    """Probability."""
    vertical_flip: float = 0.0
    """Probability."""
    rotation_deg: float = 0.0
    """Largest angle, either way; the result is cut so that no black corners show."""
    cast: float = 0.0
    """Standard deviation of the logarithmic gains of red and blue on the source, where targets are neutral."""


def augment(photos: Photo, side_px: int, augmentation: Augmentation, rng: np.random.Generator) -> Photo:
    """Vary photos alike and bring them to the network's size.

    Args:
        photos: uint8 (n, size, size, 3), whole photos squashed to squares.
        side_px: side of the result.
        augmentation: what may happen.
        rng: decides what does.

    Returns:
        uint8 (n, side_px, side_px, 3), contiguous.
    """
    angle = rng.uniform(-augmentation.rotation_deg, augmentation.rotation_deg)
    flip_x, flip_y = rng.random(2) < (augmentation.horizontal_flip, augmentation.vertical_flip)
    if angle:
        photos = np.stack([rotate(photo, angle) for photo in photos])
    photos = photos[:, :: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return np.stack([resize(photo, side_px) for photo in photos])


def tint(photo: Photo, gains: NDArray[np.float64]) -> Photo:
    """The photo under light of another colour.

    Args:
        photo: uint8 (..., 3), RGB, display-encoded.
        gains: of linear red, green and blue. White stays white, as it does where a camera clips.

    Returns:
        uint8, same shape.
    """
    light = (np.arange(256)[:, None] / 255) ** GAMMA
    tinted = np.clip(light * (gains + (1 - gains) * light**4), 0, 1) ** (1 / GAMMA)
    table = np.rint(tinted * 255).astype(np.uint8)
    return np.stack([table[photo[..., channel], channel] for channel in range(3)], axis=-1)


def random_gains(deviation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gains of a cast, along warm to cool and along green to magenta; luminance about kept."""
    warm, green = rng.normal(0, deviation), rng.normal(0, 0.7 * deviation)
    gains = np.exp([warm, green, -warm])
    return np.asarray(gains / (gains @ LUMINANCE))


def rotate(photo: Photo, angle_deg: float) -> Photo:
    """Turn a square photo about its centre, enlarged just enough that its corners stay filled; same shape."""
    size = photo.shape[0]
    radians = np.radians(abs(angle_deg))
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), angle_deg, np.cos(radians) + np.sin(radians))
    turned = cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def resize(photo: Photo, side_px: int) -> Photo:
    """A square photo at another size: by area where it shrinks, linearly where it grows."""
    if photo.shape[0] == side_px:
        return np.ascontiguousarray(photo)
    interpolation = cv2.INTER_AREA if photo.shape[0] > side_px else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(photo), (side_px, side_px), interpolation=interpolation)
    return np.asarray(resized, np.uint8)
