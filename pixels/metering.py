"""Metering: exponents for a whole photo, so that all shots of a room reach the network alike, be they dark or warm.

A camera's light meter assumes that a scene averages to 18 % grey. Here the average is the log-average luminance
(Reinhard et al., "Photographic Tone Reproduction for Digital Images", 2002), taken on display-encoded values. Raising
a photo to a power multiplies its log-average: the exponent that reaches the key is a quotient of two logarithms.

White balance is metered in the same way: a share of the log-average's colour is taken for a cast (the grey-world
assumption takes all of it), so each channel has an exponent of its own.
"""

import math

import numpy as np
from numpy.typing import NDArray

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709
KEY = 0.18 ** (1 / 2.2)  # 18 % grey, display-encoded
EXPONENT_RANGE = (0.25, 3.0)
FLOOR = 1 / 255  # darkest value that counts: black borders must not open up a whole photo
CAST_SHARE = 0.25  # of the average colour, that is taken for a cast


def metering_exponent(photo: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exponents that bring a photo's log-average to 18 % grey, its colour nearer to grey: ``photo ** exponent``.

    Args:
        photo: float32 (height, width, 3), RGB, display-encoded, range [0, 1]. A shrunk copy gives the same answer.

    Returns:
        float32 (3,), one for each channel, in the host's memory, within EXPONENT_RANGE; below 1 brightens, above 1
        darkens.
    """
    luminance = float(np.log(np.maximum(photo @ LUMINANCE, FLOOR)).mean())
    channels = np.array([float(np.log(np.maximum(photo[..., channel], FLOOR)).mean()) for channel in range(3)])
    log_averages = luminance + CAST_SHARE * (channels - channels @ LUMINANCE)
    exponents = math.log(KEY) / np.minimum(log_averages, -1e-3)  # a white photo has log 0
    return np.asarray(np.clip(exponents, *EXPONENT_RANGE), np.float32)
