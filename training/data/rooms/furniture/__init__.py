"""Furniture: plausible pieces of random shape.

A piece stands with its back at y = 0, looks along +y, and is centred on x = 0.
"""
