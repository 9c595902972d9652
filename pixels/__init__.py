"""Pure array maths shared by serving, training, export and tests: metering, tiling, resampling, the two-scale edit.

Photos are arrays of shape (height, width, 3), RGB, display-encoded (sRGB-like). No torch, no Triton: everything here
can be tried with a lambda in place of the network.
"""
