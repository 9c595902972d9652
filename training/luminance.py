"""How bright a colour is to the eye."""

import numpy as np

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Shares of red, green and blue, of linear light (ITU-R BT.709)."""
