"""Primitives in a GPU's memory, by CuPy: blurs and changes of size are products with small matrices.

Everything here works on NumPy arrays, too (the tests run it so), and calls nothing that CuPy lacks. CuPy itself is
imported on a machine that has it only: it is the module that the arrays come from.
"""

import importlib
import sys
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # cupy.ndarray or numpy.ndarray


def cupy() -> Any:
    """The module CuPy, of a type that nobody knows where it is not installed."""
    return importlib.import_module("cupy")


def missing() -> str | None:
    """Why photos cannot be worked on in a GPU's memory; None where they can.

    Triton hands GPU tensors from process to process by CUDA IPC, which not every platform with a GPU has.
    """
    try:
        memory = cupy().cuda.alloc(1)
        cupy().cuda.runtime.ipcGetMemHandle(memory.ptr)
    except Exception as error:  # no CuPy, no driver, no GPU, no IPC: each raises its own
        return f"{type(error).__name__}: {error}"
    return None


def on_device(array: Array) -> bool:
    """Whether an array lies in a GPU's memory."""
    return namespace(array) is not np


def namespace(array: Array) -> Any:
    """The module of an array's functions: cupy or numpy."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def to_planes(photo: Array) -> Array:
    """As pixels.host.to_planes."""
    scale = np.float32(1 / np.iinfo(photo.dtype).max)
    return namespace(photo).ascontiguousarray(photo.transpose(2, 0, 1)).astype(np.float32) * scale


def to_interleaved(planes: Array) -> Array:
    """As pixels.host.to_interleaved."""
    return namespace(planes).ascontiguousarray(planes.transpose(1, 2, 0))


def add_edit(photo: Array, edit: Array, out: Array) -> None:
    """As pixels.host.add_edit."""
    xp, white = namespace(photo), int(np.iinfo(photo.dtype).max)
    out[...] = xp.clip(xp.rint(photo + white * edit), 0, white).astype(photo.dtype)


def accumulate(planes: Array, share: Array, target: Array) -> None:
    """As pixels.host.accumulate."""
    target += planes * namespace(planes).asarray(share)


def subtract_blurred(planes: Array, window: tuple[int, int]) -> None:
    """As pixels.host.subtract_blurred."""
    xp = namespace(planes)
    down, across = (xp.asarray(_blur(length, box)) for length, box in zip(planes.shape[1:], window[::-1], strict=True))
    planes -= down @ planes @ across.T


def resized(pixels: Array, width: int, height: int) -> Array:
    """As pixels.host.resized."""
    xp = namespace(pixels)
    rows, columns = pixels.shape[:2]
    if width != columns:
        return xp.asarray(_resize(columns, width)) @ pixels
    return (xp.asarray(_resize(rows, height)) @ pixels.reshape(rows, -1)).reshape(height, width, 3)


@lru_cache(maxsize=8)
def _blur(length: int, box: int) -> NDArray[np.float32]:
    """A box of odd width three times, mirrored at the ends, as a matrix (length, length)."""
    reach = np.arange(length)[:, None] + np.arange(-(box // 2), box // 2 + 1)
    period = reach % (2 * length)
    mirrored_at = np.minimum(period, 2 * length - 1 - period)
    once = np.zeros((length, length))
    np.add.at(once, (np.arange(length)[:, None], mirrored_at), 1 / box)
    return np.asarray(once @ once @ once, np.float32)


@lru_cache(maxsize=8)
def _resize(length: int, wanted: int) -> NDArray[np.float32]:
    """Change of an axis as a matrix (wanted, length): the area under each pixel to shrink, linear to grow."""
    scale = length / wanted
    if scale > 1:
        edges = np.arange(wanted + 1)[:, None] * scale
        cells = np.clip(edges - np.arange(length), 0, 1)  # of each old pixel, the part to the left of each edge
        return np.asarray((cells[1:] - cells[:-1]) / scale, np.float32)
    centres = np.clip((np.arange(wanted) + 0.5) * scale - 0.5, 0, length - 1)
    distance = np.abs(centres[:, None] - np.arange(length))
    return np.asarray(np.maximum(0, 1 - distance), np.float32)
