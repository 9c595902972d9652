"""Frames of one scene laid onto each other: how each was moved and turned, and which do not belong to the others.

Median-threshold bitmaps (Ward, 2003) see a shift whatever the exposures; from there the enhanced correlation
coefficient (Evangelidis and Psarakis, 2008) finds fractions of a pixel and the rotation. Both look at shrunk copies. A
frame is compared with its neighbour in brightness, with which it shares most; motions add up on the way to the anchor.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.ranges import Photo

LARGEST_SHIFT = 0.02  # of the long edge; a tripod moves less
LARGEST_TURN_DEG = 1.5
LARGEST_DISAGREEMENT = 0.25  # share of differing bitmap pixels: people may move, unrelated photos differ in half
STILL_DISAGREEMENT = 0.12  # of frames in which nothing may move
DOUBTFUL = 6  # display values around the median that noise may put on either side
SMALLEST_SIDE_PX = 64  # shorter sides have nothing to be aligned by
MATCHED_PX = 256  # long edge of the copies whose bitmaps are compared
WELL_EXPOSED = (8, 247)  # 8-bit values that say how the frames lie to each other
STEPS, PRECISION, SMOOTHING_PX = 40, 1e-5, 5
STILL_PX = 0.25  # at full size: less is no motion, and the frame stays as sharp as it is

Motion = NDArray[np.float64]
"""(2, 3): takes a place (x, y, 1) in the anchor to the same place in the frame, in pixels."""


class MisalignedError(ValueError):
    """The frames do not show one scene from one place.

    Attributes:
        frame: index of the one to blame.
        reason: what is wrong with it, a sentence without its subject.
    """

    def __init__(self, frame: int, reason: str) -> None:
        super().__init__(f"frame {frame + 1} {reason}")
        self.frame, self.reason = frame, reason


def align(frames: Sequence[Photo], anchor: int) -> list[Photo]:
    """Lay every frame onto one of them; of a scene in which nothing moves.

    Args:
        frames: uint8 (height, width, 3) of one size, dark to bright.
        anchor: index of the frame that stays.

    Returns:
        Frames of the same size; edges that a motion leaves empty repeat the nearest pixel.

    Raises:
        MisalignedError: as motions.
    """
    greys = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]
    return [
        moved(frame, motion) for frame, motion in zip(frames, motions(greys, anchor, STILL_DISAGREEMENT), strict=True)
    ]


def motions(greys: Sequence[Photo], anchor: int, most_differing: float = LARGEST_DISAGREEMENT) -> list[Motion]:
    """How the frames were moved.

    Args:
        greys: uint8 (height, width) of one size, dark to bright.
        anchor: index of the frame that stays.
        most_differing: share of their structure in which two neighbours may differ.

    Raises:
        MisalignedError: a motion too large for a tripod, or frames that still differ after it.
    """
    found = [np.eye(3)] * len(greys)
    height, width = greys[0].shape
    if min(height, width) >= SMALLEST_SIDE_PX:
        downwards = [(index, index + 1) for index in range(anchor - 1, -1, -1)]
        upwards = [(index, index - 1) for index in range(anchor + 1, len(greys))]
        for index, neighbour in (*downwards, *upwards):
            found[index] = _motion(greys[neighbour], greys[index]) @ found[neighbour]
        _check_agreement(
            [moved(grey, each[:2]) for grey, each in zip(greys, found, strict=True)], anchor, most_differing
        )
        for index, motion in enumerate(found):
            _check_size(index, motion, width, height)
    return [motion[:2] for motion in found]


def scaled(motion: Motion, factor: float) -> Motion:
    """The motion of frames that are larger by a factor. Pixel centres sit at half-integers, and coordinates at them."""
    turn, shift = motion[:, :2], motion[:, 2]
    turned = turn @ [0.5, 0.5] - [0.5, 0.5]
    return np.column_stack([turn, factor * (shift - turned) + turned])


def is_still(motion: Motion, width: int, height: int) -> bool:
    """Whether no pixel of a frame moves so far that it shows."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    return bool(np.abs(corners @ motion.T - corners[:, :2]).max() < STILL_PX)


def moved(frame: Photo, motion: Motion, interpolation: int = cv2.INTER_LINEAR) -> Photo:
    """The frame laid onto the anchor; edges repeat the nearest pixel."""
    height, width = frame.shape[:2]
    if is_still(motion, width, height):
        return frame
    flags = interpolation | cv2.WARP_INVERSE_MAP
    warped: Photo = cv2.warpAffine(frame, motion, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return warped


def _motion(still: Photo, other: Photo) -> Motion:
    """(3, 3) from places in one frame to those in the other, which is its neighbour in brightness."""
    x, y = cv2.createAlignMTB(6, 4, False).calculateShift(still, other)
    start = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    low, high = WELL_EXPOSED
    usable = _well_exposed(other, low, high) & moved(
        _well_exposed(still, low, high), np.array([[1.0, 0, x], [0, 1, y]])
    )
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, PRECISION)
    try:
        _, motion = cv2.findTransformECC(
            still, other, start.copy(), cv2.MOTION_EUCLIDEAN, criteria, usable, SMOOTHING_PX
        )
    except cv2.error:  # nothing to go by: bare walls, or no pixels that both saw
        motion = start
    return np.vstack([motion, [0, 0, 1]]).astype(np.float64)


def _well_exposed(grey: Photo, low: int, high: int) -> Photo:
    return ((grey > low) & (grey < high)).astype(np.uint8)


def _check_size(index: int, motion: Motion, width: int, height: int) -> None:
    centre = np.array([width / 2, height / 2, 1])
    shift_px = np.abs((motion @ centre - centre)[:2]).max()
    turn_deg = abs(np.degrees(np.arctan2(motion[1, 0], motion[0, 0])))
    if shift_px > LARGEST_SHIFT * max(width, height):
        share = shift_px / max(width, height)
        raise MisalignedError(index, f"is shifted by {share:.1%} of the long edge: was the camera on a tripod?")
    if turn_deg > LARGEST_TURN_DEG:
        raise MisalignedError(index, f"is turned by {turn_deg:.1f} degrees: was the camera on a tripod?")


def _check_agreement(greys: Sequence[Photo], anchor: int, most_differing: float) -> None:
    """Compare the bitmaps (brighter than the median or not) of neighbours, where neither is in doubt."""
    scale = MATCHED_PX / max(greys[0].shape)
    small = [_offsets(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) for grey in greys]
    worst = max((_disagreement(*pair) for pair in pairwise(small)), default=0.0)
    if worst > most_differing:
        sums = np.zeros(len(greys))
        for one, other in combinations(range(len(greys)), 2):
            sums[[one, other]] += _disagreement(small[one], small[other])
        sums[anchor] -= 1e-3  # of two frames, the one that would have to move is to blame
        raise MisalignedError(
            int(sums.argmax()),
            f"differs from the others in {worst:.0%} of its structure: "
            "is this one scene, without a turned camera or moving people?",
        )


def _offsets(grey: NDArray[Any]) -> NDArray[np.int16]:
    return grey.astype(np.int16) - np.int16(np.median(grey))


def _disagreement(dark: NDArray[np.int16], bright: NDArray[np.int16]) -> float:
    """Share of pixels that lie on different sides of their photos' medians."""
    certain = np.minimum(abs(dark), abs(bright)) > DOUBTFUL
    return float(np.mean((dark > 0)[certain] != (bright > 0)[certain])) if certain.any() else 0.0
