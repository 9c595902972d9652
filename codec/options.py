"""What a request may ask for: values that clients offer and servers take."""

MODES = ("full", "fast")
"""Curves and then the refiner, or curves alone."""
EXTENSIONS = {"jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp"}
"""Formats that are written, with the extensions of their files."""
FORMATS = ("same", *EXTENSIONS)
MAX_STRENGTH = 1.5
"""Factor on the edit."""
