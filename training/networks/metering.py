"""Metering in the generator's graph: gains for a whole photo, so that all shots of a room reach the network alike.

A camera's light meter assumes that a scene averages to 18 % grey. Here the average is the log-average luminance
(Reinhard et al., "Photographic Tone Reproduction for Digital Images", 2002). White balance is metered in the same way:
fixed shares of the average's colour are taken for a cast (the grey-world assumption would take all of it). Rooms are
warm by their own light and materials, but seldom green, so more of a green or magenta average is taken away than of a
warm or cool one.
"""

import torch
from torch import Tensor

from pixels.light import GAMMA, GREY, LUMINANCE

KEY = GREY ** (1 / GAMMA)  # 18 % grey, display-encoded
FLOOR = 1 / 255  # darkest display value that counts: black borders must not open up a whole photo
RED, GREEN, BLUE = map(float, LUMINANCE)
WARM_SHARE = 0.25  # of the average's distance from grey along warm and cool, that is taken for a cast
GREEN_SHARE = 0.6  # the same along green and magenta


def metering_gains(photo: Tensor) -> Tensor:
    """Gains of display values that bring a photo's log-average to 18 % grey, its colour nearer to grey.

    Args:
        photo: float [N, 3, H, W], RGB, display-encoded, range [0, 1].

    Returns:
        Float [N, 3, 1, 1].
    """
    averages = photo.clamp(min=FLOOR).log().mean(dim=(2, 3), keepdim=True)
    red, green, blue = torch.split(averages, 1, dim=1)
    warm, tint = (red - blue) / 2, green - (red + blue) / 2
    warm, tint = WARM_SHARE * warm, GREEN_SHARE * tint
    cast = torch.cat([warm - tint / 3, 2 / 3 * tint, -warm - tint / 3], dim=1)
    key = brightness(photo * (-cast).exp()).clamp(min=FLOOR).log().mean(dim=(2, 3), keepdim=True)
    gains: Tensor = KEY * (-cast - key).exp()
    return gains


def brightness(photo: Tensor) -> Tensor:
    """Display value [N, 1, H, W] of the grey that is as luminous as each pixel of [N, 3, H, W]."""
    red, green, blue = torch.split(photo.clamp(min=FLOOR).pow(GAMMA), 1, dim=1)
    luminance: Tensor = RED * red + GREEN * green + BLUE * blue
    return luminance.pow(1 / GAMMA)
