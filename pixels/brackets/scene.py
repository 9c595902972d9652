"""A scene's frames to one photo that holds the light of them all.

The photo is what a camera without noise and of 16 bits would have taken, exposed so that the brightest recorded light
is not clipped. It is dark where the light is strong; the generator meters it like any photo, and sees what single
frames clip. Where it would be darker than the photos that the generator edits best, highlights get a camera's shoulder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from pixels.brackets import alignment
from pixels.brackets.exposure import exposure_values, linear_of_value
from pixels.brackets.ghosts import trusted
from pixels.brackets.merging import merge_rows, merged_light
from pixels.light import GAMMA, GREY, LUMINANCE
from pixels.ranges import STEPS_16_IN_8, Floats, Photo, to_8_bits, white
from pixels.resampling import share_rows

SMALL_PX = 1024  # long edge of the copies on which frames are aligned and compared
STRIP_PX = 16  # rows merged at once: those of all frames stay in the processor's cache
DARKEST_EV = -2.0  # log-average of the merged photo, from 18 % grey: darker ones get a shoulder (decision 017)
RECORDED = 0.96  # display value of that light: what is brighter was recorded by no frame


@dataclass(frozen=True)
class Tone:
    """The camera that takes the merged photo.

    Attributes:
        gain: brings the brightest light to 1.
        shoulder: how far highlights are compressed, as a camera's: ``x (1 + s) / (1 + s x)`` is linear in the dark, and
            1 stays 1.
    """

    gain: float
    shoulder: float

    @classmethod
    def of(cls, light: Floats) -> "Tone":
        """The tone for a scene's light, shrunk: the log-average becomes no darker than DARKEST_EV."""
        luminance = light @ LUMINANCE
        brightest = float(light.max())
        average = float(np.exp(np.log(np.maximum(luminance, np.percentile(luminance, 1) + 1e-6)).mean())) / brightest
        wanted = GREY * 2.0**DARKEST_EV
        return cls(1 / brightest, max(0.0, (wanted - average) / (average * (1 - wanted))))

    @cached_property
    def values(self) -> NDArray[np.uint16]:
        """Display value of every light that a 16-bit value tells apart, which is the light's square root."""
        linear = np.linspace(0, 1, 65536) ** 2
        linear = linear * (1 + self.shoulder) / (1 + self.shoulder * linear)
        return np.asarray(linear ** (1 / GAMMA) * (RECORDED * 65535) + 0.5).astype(np.uint16)

    def encoded(self, light: Floats) -> NDArray[np.uint16]:
        """Display values of light."""
        encoded = np.empty(light.shape, np.uint16)
        _encode(light, np.float32(self.gain), self.values, encoded)
        return encoded


@dataclass(frozen=True)
class Plan:
    """How frames become one photo.

    Attributes:
        order: indices of the frames, dark to bright.
        anchor: index of the frame that the others are laid onto, and whose metadata are kept: the middle exposure.
        motions: of each frame in that order, at full size.
        exposures_ev: of each frame in that order.
        trust: float32 (frames, rows, columns), as for pixels.brackets.merging.merge_rows.
        tone: from light to the merged photo.
    """

    order: list[int]
    anchor: int
    motions: list[alignment.Motion]
    exposures_ev: list[float]
    trust: Floats
    tone: "Tone"


def merge_scene(frames: Sequence[Photo], check: Callable[[], None] = lambda: None) -> tuple[Photo, int]:
    """Merge the frames of one scene.

    Args:
        frames: uint8 or uint16 (height, width, 3 or 4) of one size, in any order.
        check: called before every strip; what it raises ends the work.

    Returns:
        The merged photo, uint16 (height, width, 3), and the index of the frame that it was laid onto. One frame alone
        comes back as it is, transparency included.

    Raises:
        pixels.brackets.alignment.MisalignedError: a frame does not belong to the others.
    """
    if len(frames) == 1:
        return frames[0], 0
    if len({frame.dtype for frame in frames}) > 1:
        frames = [frame if frame.dtype == np.uint16 else frame.astype(np.uint16) * STEPS_16_IN_8 for frame in frames]
    how = plan(frames)
    return merge(frames, how, check), how.anchor


def plan(frames: Sequence[Photo]) -> Plan:
    """Decide, on shrunk copies.

    Args:
        frames: 2 or more, uint8 or uint16 (height, width, 3 or 4) of one size and type, in any order.

    Raises:
        pixels.brackets.alignment.MisalignedError: with the index of the frame that does not belong to the others.
    """
    small = [_small(frame) for frame in frames]
    order = sorted(range(len(frames)), key=lambda index: float(small[index].mean()))
    ordered, anchor = [small[index] for index in order], (len(order) - 1) // 2
    greys = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8) for each in ordered]
    try:
        motions = alignment.motions(greys, anchor)
    except alignment.MisalignedError as error:
        raise alignment.MisalignedError(order[error.frame], error.reason) from None
    laid = [alignment.moved(each, motion) for each, motion in zip(ordered, motions, strict=True)]
    exposures_ev = exposure_values(laid)
    trust = trusted(laid, exposures_ev, anchor)
    tone = Tone.of(merged_light(laid, exposures_ev, trust))
    factor = frames[0].shape[1] / small[0].shape[1]
    larger = [alignment.scaled(each, factor) for each in motions]
    return Plan(order, order[anchor], larger, exposures_ev, trust, tone)


def merge(frames: Sequence[Photo], how: Plan, check: Callable[[], None]) -> NDArray[np.uint16]:
    """The merged photo, (height, width, 3); in strips, so that nothing but it is as large as a frame."""
    height, width = frames[0].shape[:2]
    ordered = [frames[index] for index in how.order]
    gains = np.asarray([2.0**-ev for ev in how.exposures_ev], np.float32)
    linear = linear_of_value(white(frames[0]))
    photo = np.empty((height, width, 3), np.uint16)

    def merge_strips(top: int, bottom: int) -> None:
        for start in range(top, bottom, STRIP_PX):
            check()
            stop = min(start + STRIP_PX, bottom)
            stack = np.empty((len(frames), stop - start, width, 3), frames[0].dtype)
            for index, (frame, motion) in enumerate(zip(ordered, how.motions, strict=True)):
                stack[index] = _rows(frame, motion, start, stop)
            light = np.empty(stack.shape[1:], np.float32)
            merge_rows(stack, gains, how.trust, start, height, linear, light)
            _encode(light, np.float32(how.tone.gain), how.tone.values, photo[start:stop])

    share_rows(height, merge_strips)
    return photo


@numba.njit("void(float32[:,:,::1], float32, Array(uint16, 1, 'C', readonly=True), uint16[:,:,::1])", nogil=True)
def _encode(light: Floats, gain: np.float32, values: NDArray[np.uint16], out: NDArray[np.uint16]) -> None:
    """Display values of light, (height, width, 3) both. Compiled at import."""
    one, most, half = np.float32(1), np.float32(65535), np.float32(0.5)
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            for channel in range(3):
                place = np.sqrt(min(light[y, x, channel] * gain, one)) * most + half
                out[y, x, channel] = values[np.int32(place)]


def _small(frame: Photo) -> NDArray[np.uint8]:
    small: NDArray[Any] = frame
    while max(small.shape[:2]) >= 2 * SMALL_PX and small.shape[0] % 2 == small.shape[1] % 2 == 0:  # exact and fast
        small = cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_AREA)
    scale = SMALL_PX / max(small.shape[:2])
    if scale < 1:
        small = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    colours: NDArray[Any] = np.ascontiguousarray(small[..., :3])
    return to_8_bits(colours)


def _rows(frame: Photo, motion: alignment.Motion, start: int, stop: int) -> Photo:
    """Rows of a frame laid onto the anchor."""
    height, width = frame.shape[:2]
    if alignment.is_still(motion, width, height):
        return frame[start:stop, :, :3]
    here = motion.copy()
    here[:, 2] += start * motion[:, 1]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    rows = cv2.warpAffine(frame, here, (width, stop - start), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    moved: NDArray[Any] = rows[..., :3]
    return moved
