"""The target edit: what becomes of a bracket stack, for a studio's photos and for simulated ones alike.

Aligned exposures are merged to relative radiance (pixels.brackets.merging); the radiance is metered so that its
log-average luminance is 18 % grey, exposed at -6 to +2 EV and fused (Mertens et al., "Exposure Fusion", 2007),
unclipped. A gamma then brings the mean display value to 0.58, and a shoulder takes the place of clipping.
So windows hold, shadows open, whites stay white, and every room comes out equally bright, whatever exposures the stack
happened to contain.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.light import GAMMA, GREY, LUMINANCE

FUSED_EXPOSURES_EV = (-6, -4, -2, 0, 2)
MEAN = 0.58  # display value that every photo's mean is brought to
SHOULDER = 0.8  # display value above which highlights are compressed towards 1

Photo = NDArray[np.uint8]
Radiance = NDArray[np.float32]


def to_display(linear: Radiance) -> Photo:
    """Linear light, clipped to [0, 1], to uint8 display values."""
    return np.asarray(np.clip(linear, 0, 1) ** (1 / GAMMA) * 255 + 0.5).astype(np.uint8)


def meter(radiance: Radiance) -> Radiance:
    """The radiance, scaled so that its log-average luminance is 18 % grey."""
    luminance = radiance @ LUMINANCE
    floor = np.percentile(luminance, 1) + 1e-6
    return radiance * np.float32(GREY / np.exp(np.log(np.maximum(luminance, floor)).mean()))


def fuse(frames: list[Photo]) -> Radiance:
    """Mertens exposure fusion of aligned uint8 RGB frames.

    Returns:
        float32 (height, width, 3), RGB, display values of about [0, 1]; a little beyond where contrasts are strong.
    """
    fused = cv2.createMergeMertens().process([np.ascontiguousarray(frame[..., ::-1]) for frame in frames])
    return np.ascontiguousarray(fused[..., ::-1])


def finish(fused: Radiance) -> Photo:
    """A fused photo at the brightness of a listing: a gamma to the mean, a shoulder in place of clipping, 8 bits."""
    gamma = np.log(MEAN) / np.log(np.clip(fused, 1e-3, 1).mean())
    display = np.clip(fused, 1e-4, None) ** gamma
    room_above = 1 - SHOULDER
    highlights = SHOULDER + room_above * np.tanh((display - SHOULDER) / room_above)
    display = np.where(display > SHOULDER, highlights, display)
    return np.asarray(np.clip(display, 0, 1) * 255 + 0.5).astype(np.uint8)


def standard_edit(radiance: Radiance) -> Photo:
    """The target: linear radiance (height, width, 3) of any scale to a uint8 display-encoded photo."""
    metered = meter(radiance)
    return finish(fuse([to_display(metered * 2.0**ev) for ev in FUSED_EXPOSURES_EV]))
