"""Pure array maths shared by serving, training, export and tests: curves, tiling, resampling, the edit of a photo.

Photos are arrays of shape (height, width, 3 or 4), RGB or RGBA, display-encoded (sRGB-like). No torch, no Triton:
everything here can be tried with a lambda in place of the network.
"""
