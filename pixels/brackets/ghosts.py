"""Where a frame shows something else than the others: people, curtains, leaves, cars.

What light a frame's values stand for is known from the histograms; where the light is another, beyond noise, something
moved. The frame is not trusted there, so that one frame alone decides what is to be seen. Found in small,
on aligned copies: what matters are things, and a mask with soft borders is needed anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.brackets.merging import BLACK, CLIPPED
from pixels.light import GAMMA
from pixels.ranges import Floats, Photo, to_float

NOISE = 3  # 8-bit values: of sensor and JPEG, in a shrunk copy
STILL_EV, GHOST_EV = 0.8, 1.3  # difference beyond noise: up to which a frame is trusted, from which it is not at all
EDGE_PX, REACH_PX, SOFTNESS_PX = 3, 9, 4.0  # thinner differences are no things; masks reach beyond them, softly


Mask = NDArray[np.bool_]


def trusted(frames: Sequence[Photo], exposures_ev: Sequence[float], anchor: int) -> Floats:
    """How far each frame is to be trusted, and where.

    Args:
        frames: aligned uint8 (height, width, 3), dark to bright, shrunk to about 1000 px.
        exposures_ev: of the frames.
        anchor: index of the frame that wins where all were well exposed.

    Returns:
        float32 (frames, height, width), range [0, 1]; 1 everywhere in the anchor.
    """
    trust = np.ones((len(frames), *frames[0].shape[:2]), np.float32)
    reference = _Light.of(frames[anchor], exposures_ev[anchor])
    for index in sorted(range(len(frames)), key=lambda each: abs(each - anchor))[1:]:
        trust[index] = _soft(_differs(reference, frames[index]))
        reference = reference.completed(_Light.of(frames[index], exposures_ev[index]), trust[index] > 0.5)
    return trust


@dataclass(frozen=True)
class _Light:
    """What is known of a scene's light; (height, width, 3) each.

    Attributes:
        stops: how much there was.
        noise: how well that is known, in stops.
        clipped: where there was more.
        black: where there was less.
    """

    stops: Floats
    noise: Floats
    clipped: Mask
    black: Mask

    @classmethod
    def of(cls, frame: Photo, ev: float) -> "_Light":
        """The light that one frame shows."""
        value = np.maximum(to_float(frame), np.float32(NOISE / 255))
        stops, noise = GAMMA * np.log2(value) - ev, GAMMA / np.log(2) * NOISE / 255 / value
        return cls(stops.astype(np.float32), noise.astype(np.float32), value >= CLIPPED, value <= BLACK)

    def completed(self, other: "_Light", agrees: Mask) -> "_Light":
        """This light, completed with the other's where this is clipped or black and the other, which agrees, is not."""
        better = agrees[..., None] & ((self.clipped & ~other.clipped) | (self.black & ~other.black))
        pairs = ((getattr(other, name), getattr(self, name)) for name in vars(self))
        return _Light(*(np.where(better, theirs, own) for theirs, own in pairs))


def _differs(reference: _Light, frame: Photo) -> Floats:
    """Stops by which the reference's light differs, beyond noise, from what the frame's values stand for.

    In whichever channel it differs most: a dark red coat may be as light in its red as the grey wall behind it.
    """
    worst = np.zeros(frame.shape[:2], np.float32)
    for channel in range(3):
        light, values = reference.stops[..., channel], frame[..., channel]
        least, most = _expected(light, values)
        beyond = np.maximum(least[values] - light, light - most[values]) - reference.noise[..., channel]
        np.maximum(worst, beyond, out=worst)
    return worst


def _expected(light: Floats, values: Photo) -> tuple[Floats, Floats]:
    """The least and the most light that each of the 256 values of a frame stands for, give or take noise.

    As many pixels of the scene are darker than that light as pixels of the frame are darker than that value. This
    holds whatever the camera's response, and things that move hardly change it, as they are in both (Grossberg and
    Nayar, "Determining the Camera Response from Images: What Is Knowable?", 2003). The ends, clipped or black, stand
    for all that is beyond.
    """
    darker = np.concatenate([[0], np.cumsum(np.bincount(values.ravel(), minlength=256))])
    ordered, value = np.sort(light, axis=None), np.arange(256)
    least = ordered[np.minimum(darker[np.maximum(value - NOISE, 0)], light.size - 1)]
    most = ordered[np.maximum(darker[np.minimum(value + NOISE, 255) + 1] - 1, 0)]
    return least, most


def _soft(difference: Floats) -> Floats:
    """Trust from differences: without thin edges, with soft borders around things."""
    ghost = np.clip((difference - STILL_EV) / (GHOST_EV - STILL_EV), 0, 1).astype(np.float32)
    ghost = cv2.morphologyEx(ghost, cv2.MORPH_OPEN, np.ones((EDGE_PX, EDGE_PX), np.uint8))
    ghost = cv2.dilate(ghost, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH_PX + 1,) * 2))
    return np.asarray(1 - cv2.GaussianBlur(ghost, (0, 0), SOFTNESS_PX), np.float32)
