"""The target edit: what becomes of a bracket stack, for a studio's photos and for simulated ones alike.

Aligned exposures are merged to relative radiance; the radiance is metered so that its log-average luminance is 18 %
grey, exposed at -6 to +2 EV and fused (Mertens et al., "Exposure Fusion", 2007), unclipped. A gamma then brings the
mean display value to 0.58, and a shoulder takes the place of clipping.
So windows hold, shadows open, whites stay white, and every room comes out equally bright, whatever exposures the stack
happened to contain.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from training.luminance import LUMINANCE

GAMMA = 2.2
GREY = 0.18
FUSED_EXPOSURES_EV = (-6, -4, -2, 0, 2)
MEAN = 0.58  # display value that every photo's mean is brought to
SHOULDER = 0.8  # display value above which highlights are compressed towards 1
CLIPPED, BLACK = 0.97, 0.04  # display values beyond which a frame says nothing, where a neighbour does
USABLE = (20, 235)  # 8-bit values trusted when two frames' exposures are compared
UNKNOWN_STEP_EV = 1.5  # assumed between frames that share no well-exposed pixels
SMALLEST_OVERLAP_PX = 500

Photo = NDArray[np.uint8]
Radiance = NDArray[np.float32]

LINEAR_OF_BYTE = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)


def to_linear(photo: Photo) -> Radiance:
    """uint8 display values to float32 linear light in [0, 1]."""
    return LINEAR_OF_BYTE[photo]


def to_display(linear: Radiance) -> Photo:
    """Linear light, clipped to [0, 1], to uint8 display values."""
    return np.asarray(np.clip(linear, 0, 1) ** (1 / GAMMA) * 255 + 0.5).astype(np.uint8)


def exposure_values(frames: list[Photo]) -> list[float]:
    """EV of each frame relative to the first: median log ratio over pixels that are well exposed in both neighbours."""
    values = [0.0]
    low, high = USABLE
    for dark, bright in pairwise(frames):
        usable = (np.minimum(dark, bright).min(2) > low) & (np.maximum(dark, bright).max(2) < high)
        ratio = to_linear(bright[usable]).mean(1) / to_linear(dark[usable]).mean(1)
        step = float(np.median(np.log2(ratio))) if ratio.size > SMALLEST_OVERLAP_PX else UNKNOWN_STEP_EV
        values.append(values[-1] + step)
    return values


def merge(frames: list[Photo]) -> Radiance:
    """Relative radiance of a scene.

    Args:
        frames: aligned uint8 (height, width, 3) exposures, dark to bright.

    Returns:
        float32 (height, width, 3), linear; its scale is that of the first frame.
    """
    total = np.zeros(frames[0].shape, np.float32)
    weights = np.zeros((*frames[0].shape[:2], 1), np.float32)
    for index, (frame, ev) in enumerate(zip(frames, exposure_values(frames), strict=True)):
        darkest, brightest = frame.min(2, keepdims=True) / 255.0, frame.max(2, keepdims=True) / 255.0
        weight = np.minimum(darkest, 1 - brightest) * 2 + 1e-4
        if index > 0:
            weight[brightest > CLIPPED] = 1e-6
        if index < len(frames) - 1:
            weight[brightest < BLACK] = 1e-6
        total += weight.astype(np.float32) * to_linear(frame) * 2.0**-ev
        weights += weight.astype(np.float32)
    return np.asarray(total / weights, np.float32)


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
