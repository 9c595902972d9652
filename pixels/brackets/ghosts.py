"""Where a frame shows something else than the others: people, curtains, leaves, cars.

What a frame would have to show at another's exposure is known from its own values; where it does not, within noise,
something moved. The frame is not trusted there, so that one frame alone decides what is to be seen. Found in small,
on aligned copies: what matters are things, and a mask with soft borders is needed anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.brackets.exposure import GAMMA
from pixels.brackets.merging import BLACK, CLIPPED
from pixels.ranges import Floats, Photo, to_float

NOISE = 3.0 / 255  # display values: of sensor and JPEG, in a shrunk copy
STILL_EV, GHOST_EV = 0.5, 0.9  # difference beyond noise: up to which a frame is trusted, from which it is not at all
LEVELS = 24  # of display values, at each of which the camera's response is compared
SMALLEST_LEVEL_PX = 200
EDGE_PX, REACH_PX, SOFTNESS_PX = 3, 9, 4.0  # thinner differences are no things; masks reach beyond them, softly


Mask = NDArray[np.bool_]


def trusted(frames: Sequence[Photo], exposures_ev: Sequence[float], anchor: int) -> Floats:
    """How far each frame is to be trusted, and where.

    Args:
        frames: aligned uint8 or uint16 (height, width, 3), dark to bright, shrunk to about 1000 px.
        exposures_ev: of the frames.
        anchor: index of the frame that wins where all were well exposed.

    Returns:
        float32 (frames, height, width), range [0, 1]; 1 everywhere in the anchor.
    """
    trust = np.ones((len(frames), *frames[0].shape[:2]), np.float32)
    reference = _Light.of(frames[anchor], exposures_ev[anchor])
    for index in sorted(range(len(frames)), key=lambda each: abs(each - anchor))[1:]:
        frame = _Light.of(frames[index], exposures_ev[index])
        trust[index] = _soft(_differs(reference, frame))
        reference = reference.completed(frame, trust[index] > 0.5)
    return trust


@dataclass(frozen=True)
class _Light:
    """What is known of a scene's brightest channel: in stops, how well, between which bounds; (height, width) each."""

    stops: Floats
    noise: Floats
    floor: Floats
    ceiling: Floats

    @classmethod
    def of(cls, frame: Photo, ev: float) -> "_Light":
        """What one frame says."""
        value = np.maximum(to_float(frame).max(2), NOISE)
        noise = (GAMMA / np.log(2) * NOISE / value).astype(np.float32)
        floor, ceiling = (np.full_like(value, GAMMA * np.log2(bound) - ev) for bound in (BLACK, CLIPPED))
        return cls((GAMMA * np.log2(value) - ev).astype(np.float32), noise, floor, ceiling)

    @property
    def clipped(self) -> Mask:
        """Where there was more light than it tells."""
        return np.asarray(self.stops >= self.ceiling)

    @property
    def black(self) -> Mask:
        """Where there was less."""
        return np.asarray(self.stops <= self.floor)

    def completed(self, other: "_Light", agrees: Mask) -> "_Light":
        """With the other's light where this is clipped or black and the other, which agrees, is not."""
        better = agrees & ((self.clipped & ~other.clipped) | (self.black & ~other.black))
        pairs = ((getattr(other, name), getattr(self, name)) for name in vars(self))
        return _Light(*(np.where(better, theirs, own) for theirs, own in pairs))


def _differs(reference: _Light, frame: _Light) -> Floats:
    """Stops by which a frame's light differs from the reference's, beyond noise, in the range that both could tell."""
    floor = np.maximum(reference.floor, frame.floor)
    ceiling = np.maximum(np.minimum(reference.ceiling, frame.ceiling), floor)
    difference = np.clip(frame.stops, floor, ceiling) - np.clip(reference.stops, floor, ceiling)
    both = ~(reference.clipped | frame.clipped | reference.black | frame.black)
    beyond = np.abs(difference - _response(frame.stops, difference, both)) - reference.noise - frame.noise
    return np.where(difference == 0, 0, np.maximum(beyond, 0)).astype(np.float32)


def _response(stops: Floats, difference: Floats, usable: Mask) -> Floats:
    """The difference that is the camera's: its response is no pure gamma, and alike wherever the light is alike."""
    if usable.sum() < SMALLEST_LEVEL_PX:
        return np.zeros_like(difference)
    values, differences = stops[usable], difference[usable]
    edges = np.linspace(values.min(), values.max() + 1e-3, LEVELS + 1)
    level = np.digitize(values, edges) - 1
    known = [each for each in range(LEVELS) if (level == each).sum() >= SMALLEST_LEVEL_PX]
    if not known:
        return np.zeros_like(difference)
    medians = [float(np.median(differences[level == each])) for each in known]
    centres = (edges[:-1] + edges[1:]) / 2
    return np.asarray(np.interp(stops, centres[known], np.clip(medians, -STILL_EV, STILL_EV)), np.float32)


def _soft(difference: Floats) -> Floats:
    """Trust from differences: without thin edges, with soft borders around things."""
    ghost = np.clip((difference - STILL_EV) / (GHOST_EV - STILL_EV), 0, 1).astype(np.float32)
    ghost = cv2.morphologyEx(ghost, cv2.MORPH_OPEN, np.ones((EDGE_PX, EDGE_PX), np.uint8))
    ghost = cv2.dilate(ghost, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH_PX + 1,) * 2))
    return np.asarray(1 - cv2.GaussianBlur(ghost, (0, 0), SOFTNESS_PX), np.float32)
