"""Light and its brightness: the conventions of all code that works on photos."""

import numpy as np

GAMMA = 2.2
"""Of display values: light is a value in [0, 1] to this power."""
GREY = 0.18
"""The light that a scene averages to, as a camera's meter assumes."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Shares of red, green and blue in how bright linear light is to the eye (ITU-R BT.709)."""
