"""Alignment of bracket stacks by median-threshold bitmaps (Ward, 2003), and the refusal of stacks that do not align."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.fusion import Photo

LARGEST_SHIFT = 0.02  # of the long edge; a tripod moves less
LARGEST_DISAGREEMENT = 0.12  # share of differing bitmap pixels; unrelated photos differ in half of them
DOUBTFUL = 6  # display values around the median that noise may put on either side


class MisalignedError(ValueError):
    """The frames do not show one scene from one place; the message says how that was seen."""


def align(frames: list[Photo], anchor: int) -> list[Photo]:
    """Shift every frame onto one of them, neighbour by neighbour.

    Args:
        frames: uint8 (height, width, 3) of one size, dark to bright.
        anchor: index of the frame that stays.

    Returns:
        Frames of the same size; edges that a shift leaves empty repeat the nearest pixel.

    Raises:
        MisalignedError: a shift too large for a tripod, or frames that still differ after it.
    """
    greys = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]
    matcher = cv2.createAlignMTB(6, 4, False)
    shifts = [(0, 0)] * len(frames)
    order = [*((i, i + 1) for i in range(anchor - 1, -1, -1)), *((i, i - 1) for i in range(anchor + 1, len(frames)))]
    for index, neighbour in order:
        x, y = matcher.calculateShift(greys[neighbour], greys[index])
        if max(abs(x), abs(y)) > LARGEST_SHIFT * max(frames[0].shape):
            raise MisalignedError(
                f"frame {index + 1} is shifted by ({int(x)}, {int(y)}) px: was the camera on a tripod?"
            )
        shifts[index] = (shifts[neighbour][0] + int(x), shifts[neighbour][1] + int(y))
    check_agreement([shift(grey, *by) for grey, by in zip(greys, shifts, strict=True)])
    return [shift(frame, *by) for frame, by in zip(frames, shifts, strict=True)]


def shift(photo: Photo, x_px: int, y_px: int) -> Photo:
    """The photo moved to the right and down."""
    height, width = photo.shape[:2]
    matrix = np.array([[1, 0, x_px], [0, 1, y_px]], np.float32)
    moved = cv2.warpAffine(photo, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def check_agreement(greys: list[Photo]) -> None:
    """Compare neighbours' bitmaps (brighter than the median or not), where neither is in doubt."""
    for number, (dark, bright) in enumerate(pairwise(greys), start=1):
        differing = disagreement(dark, bright)
        if differing > LARGEST_DISAGREEMENT:
            raise MisalignedError(
                f"frames {number} and {number + 1} differ in {differing:.0%} of their structure: "
                "is this one scene, without a turned camera or moving people?"
            )


def disagreement(dark: Photo, bright: Photo) -> float:
    """Share of pixels that lie on different sides of their photos' medians."""
    scale = 256 / max(dark.shape)
    first, second = (
        cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.int16)
        for grey in (dark, bright)
    )
    offsets: list[NDArray[np.int16]] = [grey - np.int16(np.median(grey)) for grey in (first, second)]
    certain = np.minimum(abs(offsets[0]), abs(offsets[1])) > DOUBTFUL
    return float(np.mean((offsets[0] > 0)[certain] != (offsets[1] > 0)[certain])) if certain.any() else 0.0
