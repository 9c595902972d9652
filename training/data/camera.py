"""A camera model: from linear scene radiance to the 8-bit photo that a camera would have written.

Light is exposed, tinted by the white balance, darkened towards the corners, softened, disturbed by noise and clipped;
then the camera's tone curve, colour saturation, sharpening and JPEG follow. What belongs to the body (curve,
saturation, lens) is shared by all its shots, so a bracket stack agrees with the photo it was shot around.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from pixels.light import GAMMA, LUMINANCE
from training.data.fusion import Photo, Radiance
from training.data.noise import with_noise

STACKS_EV = ((-2, 0, 2), (-2, -1, 0, 1, 2), (-4, -2, 0, 2, 4), (-3, -2, -1, 0, 1, 2, 3))
"""Bracket stacks that photographers shoot, in stops around the unedited photo: three frames to seven."""
METERING_EV = (-2.5, 1.0)
"""Exposure of unedited photos, in stops around the scene's log-average at 18 % grey; windows make cameras go low."""


@dataclass(frozen=True)
class Body:
    """What all shots of one camera share."""

    contrast: float = 0.0
    """Share of a smoothstep S-curve, 0 = plain gamma."""
    bend: float = 1.0
    """Exponent of the mid-tones after the gamma; below 1 brightens."""
    shoulder: float = 0.0
    """Compression of highlights before they clip, 0 = hard clipping."""
    black: float = 0.0
    """Display value of black; negative crushes shadows."""
    saturation: float = 1.0
    """Distance of colours from grey, 1 = as in the scene."""
    vignetting: float = 0.0
    """Share of light lost in the corners."""


@dataclass(frozen=True)
class Shot:
    """What changes from shot to shot."""

    ev: float = 0.0
    """Exposure relative to the metered scene, in stops."""
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear gains of red, green and blue: the error of the white balance."""
    noise: float = 0.0
    """Standard deviation of noise at white, linear; grows with ISO."""
    blur_px: float = 0.0
    """Standard deviation of what lens and demosaicing soften, in pixels."""
    sharpening: float = 0.0
    """Share of the unsharp mask, which overshoots at edges."""
    quality: int = 100
    """JPEG quality at 4:2:0; 100 leaves compression out."""


def random_body(rng: np.random.Generator) -> Body:
    """A plausible camera: from flat to punchy."""
    return Body(
        contrast=rng.uniform(-0.1, 0.7),
        bend=rng.uniform(0.85, 1.15),
        shoulder=max(0.0, rng.uniform(-0.8, 0.8)),
        black=rng.uniform(-0.03, 0.03),
        saturation=rng.uniform(0.85, 1.3),
        vignetting=max(0.0, rng.uniform(-0.4, 0.4)),
    )


def random_cast(rng: np.random.Generator) -> tuple[float, float, float]:
    """White-balance error, mostly along daylight to tungsten; luminance kept. A third are large, the rest slight.

    Most cameras balance white well; who learns from large errors alone corrects what is right.
    """
    warm, green = rng.normal(0, (0.25, 0.09)) if rng.random() < 1 / 3 else rng.normal(0, (0.08, 0.03))
    gains = np.exp([warm, green, -warm])
    red, green, blue = gains / (gains @ LUMINANCE)
    return float(red), float(green), float(blue)


def random_shot(ev: float, rng: np.random.Generator) -> Shot:
    """A plausible unedited photo of the given exposure."""
    return Shot(
        ev=ev,
        cast=random_cast(rng),
        noise=float(np.exp(rng.uniform(np.log(0.001), np.log(0.02)))),
        sharpening=rng.uniform(0, 0.6),
        quality=int(rng.integers(60, 99)),
    )


def shoot(metered: Radiance, body: Body, shot: Shot, rng: np.random.Generator) -> Photo:
    """Take a photo.

    Args:
        metered: float32 (height, width, 3), linear, log-average luminance 0.18.
        body: the camera.
        shot: exposure, white balance and the like.
        rng: source of the noise.

    Returns:
        uint8 (height, width, 3), RGB, display-encoded.
    """
    light = metered * (2.0**shot.ev * np.asarray(shot.cast)).astype(np.float32)
    if body.vignetting:
        light = light * (1 - body.vignetting * corner_distance(*light.shape[:2]))
    if shot.blur_px:
        light = cv2.GaussianBlur(light, (0, 0), shot.blur_px)
    if shot.noise:
        light = with_noise(light, shot.noise, rng)
    display = develop(light, body)
    if shot.sharpening:
        display += shot.sharpening * (display - cv2.GaussianBlur(display, (0, 0), 1))
    photo = np.asarray(np.clip(display * 255 + 0.5, 0, 255)).astype(np.uint8)
    return photo if shot.quality == 100 else compress(photo, shot.quality)


def shoot_stack(metered: Radiance, body: Body, evs: Iterable[float]) -> list[Photo]:
    """A clean bracket stack of the scene at the given exposures, dark to bright, white balance right."""
    still = np.random.default_rng(0)
    return [shoot(metered, body, Shot(ev=ev), still) for ev in evs]


def develop(light: Radiance, body: Body) -> Radiance:
    """Linear light to display values, float32, about [0, 1]: highlights, gamma, tone curve, saturation."""
    if body.shoulder:
        light = np.asarray(light * (1 + body.shoulder) / (1 + body.shoulder * np.maximum(light, 0)), np.float32)
    value: Radiance = np.clip(light, 0, 1) ** (body.bend / GAMMA)
    value += body.contrast * (value * value * (3 - 2 * value) - value)
    value += body.black * (1 - value)
    grey = cv2.cvtColor(value, cv2.COLOR_RGB2GRAY)[..., None]
    return np.asarray(np.clip(grey + body.saturation * (value - grey), 0, 1), np.float32)


def corner_distance(height: int, width: int) -> Radiance:
    """Squared distance from the centre, (height, width, 1), 0 to 1 in the corners."""
    y, x = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    return ((y[:, None, None] ** 2 + x[None, :, None] ** 2) / 2).astype(np.float32)


def compress(photo: Photo, quality: int) -> Photo:
    """The photo after a JPEG round trip."""
    subsampled = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *subsampled])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
