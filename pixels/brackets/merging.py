"""Aligned exposures to the light of their scene: each pixel's weighted mean over the frames.

A frame counts most where it is well exposed (a hat of its darkest and brightest channel), hardly where it is clipped
or black and a neighbour is not, and as far as it is trusted: where something moved, one frame alone counts.
"""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pixels.brackets.exposure import exposure_values, linear_of_value
from pixels.grid import between
from pixels.ranges import Floats, Photo, white

CLIPPED, BLACK = 0.97, 0.04  # display values beyond which a frame says nothing, where a neighbour does
LEAST, NEXT_TO_NOTHING = 1e-4, 1e-6  # weights: at the ends of the range, and beyond those display values


def merged_light(frames: Sequence[Photo], exposures_ev: Sequence[float], trust: Floats | None = None) -> Floats:
    """Relative radiance of a scene.

    Args:
        frames: aligned uint8 or uint16 (height, width, 3) of one size, dark to bright, or the same rows of them.
        exposures_ev: of the frames.
        trust: float32 (frames, rows, columns) in [0, 1], over the same part of the scene, of any resolution; no pixel
            may be trusted in no frame. By default all are trusted alike.

    Returns:
        float32 (height, width, 3), linear; 1 is white in a frame of 0 EV.
    """
    if trust is None:
        trust = np.ones((len(frames), 1, 1), np.float32)
    stack: NDArray[Any] = np.stack([frame[..., :3] for frame in frames])
    gains = np.asarray([2.0**-ev for ev in exposures_ev], np.float32)
    light = np.empty(stack.shape[1:], np.float32)
    merge_rows(stack, gains, trust, 0, stack.shape[1], linear_of_value(white(stack)), light)
    return light


def merge(frames: Sequence[Photo]) -> Floats:
    """Relative radiance of a scene in which nothing moves; its scale is that of the first frame.

    Args:
        frames: aligned uint8 or uint16 (height, width, 3) exposures, dark to bright.
    """
    return merged_light(frames, exposure_values(frames))


def _signature(pixel: Any) -> Any:  # noqa: ANN401 (Numba's types are of no one class)
    f4, i8 = numba.float32, numba.int64
    constant = [numba.types.Array(f4, dims, "C", readonly=True) for dims in (1, 3)]
    return numba.void(pixel[:, :, :, ::1], constant[0], constant[1], i8, i8, constant[0], f4[:, :, ::1])


@numba.njit([_signature(numba.uint8), _signature(numba.uint16)], nogil=True, fastmath={"contract"})
def merge_rows(
    stack: Photo, gains: Floats, trust: Floats, top: int, height: int, linear: Floats, light: Floats
) -> None:
    """Merge some rows of a photo. Compiled at import.

    Args:
        stack: uint8 or uint16 (frames, rows, width, 3), dark to bright.
        gains: of linear light, of each frame.
        trust: float32 (frames, rows, columns) over the whole photo, of any resolution.
        top: first of the rows.
        height: of the whole photo.
        linear: light of every stored value.
        light: float32 (rows, width, 3), the result.
    """
    frames, rows, width, _ = stack.shape
    down, across = trust.shape[1:]
    peak, one, half, zero = np.float32(len(linear) - 1), np.float32(1), np.float32(0.5), np.float32(0)
    clipped, black = np.float32(CLIPPED) * peak, np.float32(BLACK) * peak
    trusted = np.empty((frames, across), np.float32)
    step = np.float32(across / width)
    for y in range(rows):
        above, below, share = between((top + y + 0.5) * down / height - 0.5, down - 1.0)
        for frame in range(frames):
            for column in range(across):
                first = trust[frame, above, column]
                trusted[frame, column] = first + share * (trust[frame, below, column] - first)
        for x in range(width):
            left, right, share = between((np.float32(x) + half) * step - half, np.float32(across - 1))
            total = red = green = blue = zero
            for frame in range(frames):
                r, g, b = stack[frame, y, x, 0], stack[frame, y, x, 1], stack[frame, y, x, 2]
                brightest = np.float32(max(r, g, b))
                if (frame > 0 and brightest > clipped) or (frame < frames - 1 and brightest < black):
                    weight = np.float32(NEXT_TO_NOTHING)
                else:
                    weight = min(np.float32(min(r, g, b)), peak - brightest) * 2 / peak + np.float32(LEAST)
                here = trusted[frame, left]
                weight *= here + share * (trusted[frame, right] - here)
                total += weight
                weight *= gains[frame]
                red += weight * linear[r]
                green += weight * linear[g]
                blue += weight * linear[b]
            total = one / total
            light[y, x, 0], light[y, x, 1], light[y, x, 2] = red * total, green * total, blue * total
