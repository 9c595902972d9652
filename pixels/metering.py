"""Metering: one exponent for the whole photo, so that dark and bright shots of a room reach the network alike.

A camera's light meter assumes that a scene averages to 18 % grey. Here the average is the log-average luminance
(Reinhard et al., "Photographic Tone Reproduction for Digital Images", 2002), taken on display-encoded values. Raising
a photo to a power multiplies its log-average: the exponent that reaches the key is a quotient of two logarithms.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pixels.device import namespace

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709
KEY = 0.18 ** (1 / 2.2)  # 18 % grey, display-encoded
EXPONENT_RANGE = (0.25, 3.0)
FLOOR = 1 / 255  # darkest luminance that counts: black borders must not open up a whole photo


def metering_exponent(photo: NDArray[np.float32]) -> float:
    """Exponent that brings a photo's log-average luminance to 18 % grey: ``metered = photo ** exponent``.

    Args:
        photo: float32 (height, width, 3), RGB, display-encoded, range [0, 1]. A shrunk copy gives the same answer.

    Returns:
        A float within EXPONENT_RANGE; below 1 brightens, above 1 darkens.
    """
    luminance = np.maximum(photo @ namespace(photo).asarray(LUMINANCE), FLOOR)
    log_average = min(float(np.log(luminance).mean()), -1e-3)  # a white photo has log 0
    low, high = EXPONENT_RANGE
    return min(max(math.log(KEY) / log_average, low), high)
