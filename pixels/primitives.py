"""The few operations on arrays that are written twice: with OpenCV for the host, with matrices for a GPU (CuPy).

Whoever needs one asks for the module that fits an array: ``primitives(photo).add_edit(photo, edit, out)``. Both modules
have the same functions; tests run the device's on NumPy arrays and compare.
"""

from types import ModuleType
from typing import Any

import numpy as np

from pixels import device, host


def primitives(array: Any) -> ModuleType:  # noqa: ANN401
    """pixels.host for NumPy arrays, pixels.device for all others."""
    return host if isinstance(array, np.ndarray) else device
